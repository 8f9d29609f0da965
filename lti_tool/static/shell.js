// A visit without cookies: the pages are fetched with a bearer that lives in this closure alone,
// and put into the document that is there. It is never in an address, a storage or the page; a
// reload loses it.

import { keepUp } from "./live.js";

const FOLLOW_MS = 2000;
const OWN = /^\/l\/[0-9a-f]{32}\//;

/**
 * Show a page of a visit and, from then on, every page of it that is asked for.
 *
 * @param {string} bearer What proves the visit.
 * @param {string} page The address to begin with, below /l/<launch id>/.
 */
export function openShell(bearer, page) {
  const start = new URL(page, location.origin);
  const base = OWN.exec(start.pathname)[0];
  const proof = { Authorization: `Bearer ${bearer}` };
  const unreachable = document.getElementById("page-unreachable");
  let shown = "";
  let turn = 0;

  const isOwn = (url) => url.origin === location.origin && url.pathname.startsWith(base);
  const isShown = (url) => url.pathname + url.search === shown;

  async function load(url, body) {
    const response = await fetch(url, {
      method: body ? "POST" : "GET",
      body,
      headers: proof,
      credentials: "same-origin",
      cache: "no-store",
    });
    const disposition = response.headers.get("Content-Disposition") ?? "";
    if (disposition.startsWith("attachment")) {
      return { file: await response.blob(), disposition };
    }
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!page.querySelector("main")) {
      throw new TypeError("the answer is no page");
    }
    return { page, url: new URL(response.url), isKept: !body || response.redirected };
  }

  /** Fetch and show; of several under way the last one is shown. */
  async function visit(url, { body = null, entry = "push", scroll = 0 } = {}) {
    const mine = ++turn;
    const isFirst = shown === "";
    document.documentElement.setAttribute("aria-busy", "true");
    const found = await load(url, body).catch(() => null);
    if (mine !== turn) {
      return;
    }
    document.documentElement.removeAttribute("aria-busy");
    if (found?.file) {
      save(found.file, found.disposition);
      return;
    }
    if (found) {
      found.url.hash = url.hash;
      swap(found.page);
    } else {
      complain(body ? new URL(shown, location.origin) : url);
    }
    if (found ? found.isKept : !body) {
      note(found ? found.url : url, entry);
    }
    announce({ hash: url.hash, scroll, isFirst });
  }

  function swap(page) {
    document.title = page.title;
    for (const name of ["lang", "dir"]) {
      document.documentElement[name] = page.documentElement[name];
    }
    document.documentElement.toggleAttribute("data-contrast", false);
    Object.assign(document.documentElement.dataset, page.documentElement.dataset);
    for (const part of ["header", "main"]) {
      document.querySelector(part).replaceWith(document.adoptNode(page.querySelector(part)));
    }
    // The page's own scripts do not run here, so what one of them would send is sent from here.
    document.querySelector("main form[data-autosubmit]")?.requestSubmit();
    for (const part of ["header", "main"]) {
      window.htmx?.process(document.querySelector(part));
    }
    const reading = document.querySelector("main [data-refreshing]");
    if (reading) {
      setTimeout(followReading, FOLLOW_MS, reading);
    }
    for (const part of document.querySelectorAll("main [data-live]")) {
      keepUp(part, { headers: proof, onOver: () => visit(new URL(shown, location.origin), { entry: "keep" }) });
    }
  }

  /** While a reading that was asked for is on the page, ask how it stands; then show the page anew. */
  async function followReading(place) {
    if (!place.isConnected) {
      return;
    }
    const answer = await fetch(place.dataset.refreshing, { headers: proof, credentials: "same-origin", cache: "no-store" })
      .then((response) => response.json())
      .catch(() => null);
    if (!place.isConnected) {
      return;
    }
    if (answer?.is_over) {
      visit(new URL(shown, location.origin), { entry: "keep", scroll: window.scrollY });
      return;
    }
    if (answer) {
      place.textContent = new DOMParser().parseFromString(answer.html, "text/html").body.textContent;
    }
    setTimeout(followReading, FOLLOW_MS, place);
  }

  function complain(again) {
    const main = document.querySelector("main");
    main.replaceChildren(unreachable.content.cloneNode(true));
    main.querySelector("a").href = again.href;
    document.title = main.querySelector("h1").textContent;
  }

  function note(url, entry) {
    shown = url.pathname + url.search;
    if (entry === "push") {
      history.replaceState({ scroll: window.scrollY }, "");
      history.pushState({}, "", url);
    } else if (entry === "replace") {
      history.replaceState({}, "", url);
    }
  }

  function announce({ hash, scroll, isFirst }) {
    const heading = document.querySelector("main h1");
    window.scrollTo(0, scroll);
    // A frame that opens must not take the focus from the page of the LMS around it.
    if (heading && !isFirst) {
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    }
    if (hash && !scroll) {
      location.replace(hash);
    }
  }

  function follow(event) {
    const link = event.target.closest?.("a[href]");
    const isPlain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (!link || !isPlain || event.defaultPrevented || !stays(link)) {
      return;
    }
    const url = new URL(link.href);
    const isWithin = isShown(url) && url.hash !== "";
    if (isOwn(url) && !isWithin) {
      event.preventDefault();
      visit(url, { entry: isShown(url) ? "keep" : "push" });
    }
  }

  /** A file comes as a page does, since the browser's own way would carry no proof. */
  function save(file, disposition) {
    const named = /filename="?([^";]+)"?/.exec(disposition);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = named ? named[1] : "";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), FOLLOW_MS);
  }

  function send(event) {
    const form = event.target;
    const button = event.submitter;
    const asked = (name) => button?.getAttribute(`form${name}`) ?? form.getAttribute(name) ?? "";
    const url = new URL(asked("action") || shown, location.origin);
    if (event.defaultPrevented || !isOwn(url) || !stays(form)) {
      return;
    }
    event.preventDefault();
    const fields = new FormData(form);
    if (button?.name) {
      fields.append(button.name, button.value);
    }
    if (asked("method").toLowerCase() === "post") {
      // Files go as they are; everything else as a form without scripts would send it.
      const hasFiles = asked("enctype") === "multipart/form-data";
      visit(url, { body: hasFiles ? fields : new URLSearchParams(fields) });
    } else {
      url.search = new URLSearchParams(fields);
      visit(url);
    }
  }

  const stays = (element) => ["", "_self"].includes(element.getAttribute("target") ?? "");

  // A part of a page proves the visit as a whole page does, and an answer that leads elsewhere
  // leads there within the shell.
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (isOwn(new URL(detail.path, location.href))) {
      Object.assign(detail.headers, proof);
    }
  });
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const onward = event.detail.xhr.getResponseHeader("HX-Redirect");
    if (onward && isOwn(new URL(onward, location.href))) {
      event.preventDefault();
      visit(new URL(onward, location.href));
    }
  });

  history.scrollRestoration = "manual";
  document.addEventListener("click", follow);
  document.addEventListener("submit", send);
  window.addEventListener("popstate", (event) => {
    if (!isShown(location)) {
      visit(new URL(location.href), { entry: "keep", scroll: event.state?.scroll ?? 0 });
    }
  });
  visit(start, { entry: "replace" });
}
