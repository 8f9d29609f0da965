// The way in for browsers that may keep no cookies for Waymark inside the LMS's page: a cookie,
// else a value that the LMS's window keeps for us, else the person's choice. Source: LTI Client
// Side postMessages 0.1; LTI OIDC Login with Client Side postMessages 0.1.

import { openShell } from "./shell.js";

const PATIENCE_MS = 2000;
const REPEAT_MS = 250;
const DOUBT_MS = 750;

function keepsCookies() {
  try {
    return document.cookie.split("; ").includes("__Host-waymark-probe=1");
  } catch {
    return false; // a sandbox without an origin may not even ask
  }
}

/** The window that keeps values for us, null where nobody opened or framed this one. */
function keeperOf(place) {
  const host = window.parent === window ? window.opener : window.parent;
  if (!host || place.target === "_parent") {
    return host;
  }
  try {
    const frame = host.frames[place.target];
    return frame && frame.window === frame ? frame : host;
  } catch {
    return host; // there is no frame of this name, and another origin does not say so plainly
  }
}

function randomId() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join("-");
}

/**
 * Ask the keeper until it answers, since its frame may load later than ours.
 * Resolves to its answer, or to null for a refusal, for no such service and for two seconds of
 * silence. Nothing is sent to, or heard from, another origin than the one the server named.
 */
function ask(place, question) {
  const messageId = randomId();
  const answered = `${question.subject}.response`;
  const send = (message) =>
    keeperOf(place)?.postMessage({ ...message, message_id: messageId }, place.origin);
  return new Promise((resolve) => {
    const settle = (answer) => {
      [repeat, doubt].forEach(clearInterval);
      clearTimeout(end);
      removeEventListener("message", hear);
      resolve(answer);
    };
    const hear = ({ data, origin, source }) => {
      const isExpected = origin === place.origin && source !== null && source === keeperOf(place);
      if (!isExpected || data?.message_id !== messageId) {
        return;
      }
      if (data.subject === answered) {
        settle(data.error ? null : data);
      } else if (data.subject === "lti.capabilities.response" && !lists(data, question.subject)) {
        settle(null);
      }
    };
    addEventListener("message", hear);
    const repeat = setInterval(() => send(question), REPEAT_MS);
    const doubt = setInterval(() => send({ subject: "lti.capabilities" }), DOUBT_MS);
    const end = setTimeout(() => settle(null), PATIENCE_MS);
    send(question);
  });
}

function lists(capabilities, subject) {
  const supported = capabilities.supported_messages;
  return Array.isArray(supported) && supported.some((one) => one?.subject === subject);
}

function placeOf(ladder) {
  const { target, origin, key } = ladder.dataset;
  return origin ? { target, origin, key } : null;
}

/** Show one of the page's parts instead of the one before. */
function show(id) {
  for (const part of document.querySelectorAll("[data-part]")) {
    part.hidden = part.id !== id;
  }
  const shown = document.getElementById(id);
  document.title = `${shown.querySelector("h1").textContent} · Waymark`;
  return shown;
}

async function climb(ladder) {
  const { address, key, value } = ladder.dataset;
  const place = placeOf(ladder);
  if (keepsCookies() || (place && (await ask(place, { subject: "lti.put_data", key, value })))) {
    location.replace(address);
  } else {
    offer(ladder);
  }
}

function offer(ladder) {
  if (window.parent === window) {
    show("blocked");
    return;
  }
  show("choice");
  const tab = document.getElementById("tab");
  const here = document.getElementById("here");
  tab.addEventListener("click", () => setTimeout(show, 0, "opened"));
  here.hidden = ladder.dataset.asked === "yes" || !document.requestStorageAccess;
  here.addEventListener("click", () => continueHere(here, tab));
}

/** The Storage Access API lets a frame have its cookies when the person says so. */
async function continueHere(here, tab) {
  try {
    await document.requestStorageAccess();
  } catch {
    here.hidden = true;
    document.getElementById("refused").hidden = false;
    tab.focus();
    return;
  }
  location.assign(`${tab.href}&storage_access=asked`);
}

async function prove(ladder) {
  const { key, ticket } = ladder.dataset;
  const kept = await ask(placeOf(ladder), { subject: "lti.get_data", key });
  if (typeof kept?.value !== "string") {
    show("unanswered");
    return;
  }
  try {
    const body = new URLSearchParams({ ticket, value: kept.value });
    const sent = { method: "POST", body, credentials: "same-origin", redirect: "error" };
    const response = await fetch("/lti/proof", sent);
    const answer = await response.json();
    if (response.ok) {
      openShell(answer.bearer, answer.page);
    } else {
      refuse(answer);
    }
  } catch {
    show("unreachable");
  }
}

function refuse(answer) {
  for (const name of ["title", "message", "advice", "reference"]) {
    document.querySelector(`[data-word=${name}]`).textContent = answer[name];
  }
  show("not-proven");
}

const login = document.getElementById("login-ladder");
const launch = document.getElementById("launch-ladder");
if (login) {
  climb(login);
} else if (launch) {
  prove(launch);
}
