// A part of a page that brings itself up to date while something goes on.
//
// The part names the address of its own fragment in data-live. What is said aloud is changed only
// when it says something else; numbers change quietly.

const EVERY_MS = 2000;
const PATIENCE_MS = 30000;

/**
 * Keep a part of the page up to date until what it shows is over.
 *
 * @param {Element} part Has data-live; empty of other parts that do.
 * @param {{headers?: Record<string, string>, onOver: () => void}} how What goes with each
 *   request, and what is done at the end.
 */
export function keepUp(part, { headers = {}, onOver }) {
  let etag = "";
  let wait = EVERY_MS;

  async function look() {
    if (!part.isConnected) {
      return;
    }
    const response = await fetch(part.dataset.live, {
      headers: etag ? { ...headers, "If-None-Match": etag } : headers,
      credentials: "same-origin",
      cache: "no-store",
    }).catch(() => null);
    if (response?.status === 200) {
      etag = response.headers.get("ETag") ?? "";
      show(await response.text());
    } else if (response && response.status !== 304 && response.status < 500) {
      // The visit is over: the page says so when it is loaded again.
      return;
    }
    if (response?.headers.get("Waymark-Over") === "yes") {
      onOver();
      return;
    }
    wait = response?.ok || response?.status === 304 ? EVERY_MS : Math.min(wait * 2, PATIENCE_MS);
    setTimeout(look, wait);
  }

  function show(text) {
    const news = new DOMParser().parseFromString(text, "text/html");
    const [said, now] = [part.querySelector("[data-said]"), news.querySelector("[data-said]")];
    if (said && now && said.textContent !== now.textContent) {
      said.textContent = now.textContent;
    }
    const numbers = news.querySelector("[data-numbers]");
    if (numbers) {
      part.querySelector("[data-numbers]")?.replaceWith(document.adoptNode(numbers));
    }
  }

  setTimeout(look, EVERY_MS);
}

for (const part of document.querySelectorAll("[data-live]")) {
  keepUp(part, { onOver: () => location.reload() });
}
