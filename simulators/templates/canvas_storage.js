"use strict";
(() => {
  const mode = {{ mode|tojson }};
  const kept = new Map();
  const subjects = ["lti.capabilities", "lti.put_data", "lti.get_data"];

  function listed() {
    const found = mode === "unlisted" ? ["lti.capabilities"] : subjects;
    return found.map((subject) => ({ subject, frame: window.name || undefined }));
  }

  function stored(message, origin) {
    // A tool sees its own origin's values only.
    const place = JSON.stringify([origin, message.key]);
    if (message.subject === "lti.put_data" && mode !== "forgetful") {
      kept.set(place, message.value);
    }
    const value = message.subject === "lti.put_data" ? message.value : kept.get(place);
    return { key: message.key, value: mode === "tampered" ? `not ${value}` : value };
  }

  function rest(message, origin) {
    if (message.subject === "lti.capabilities") {
      return { supported_messages: listed() };
    }
    if (!message.key || !message.message_id) {
      return { error: { code: "bad_request", message: "key and message_id are needed" } };
    }
    if (mode === "error") {
      return { error: { code: "storage_exhausted", message: "nothing more can be kept" } };
    }
    return stored(message, origin);
  }

  window.addEventListener("message", (event) => {
    const message = event.data;
    const isHeard = message && subjects.includes(message.subject) && mode !== "silent";
    if (!isHeard || (mode === "unlisted" && message.subject !== "lti.capabilities")) {
      return;
    }
    const messageId = mode === "wrong_id" ? `not ${message.message_id}` : message.message_id;
    const head = { subject: `${message.subject}.response`, message_id: messageId };
    event.source.postMessage({ ...head, ...rest(message, event.origin) }, event.origin);
  });
})();
