"use strict";

// Tells the LMS that the registration is over, so that it closes the frame or window it opened.
// Only the LMS's own origins are told; a window of anybody else's gets nothing.
(() => {
  const closing = document.getElementById("closing");
  const button = closing.querySelector("button");
  const lms = window.opener || (window.parent === window ? null : window.parent);
  const origins = closing.dataset.origins.split(" ").filter((origin) => origin !== "");

  function close() {
    for (const origin of origins) {
      lms.postMessage({ subject: "org.imsglobal.lti.close" }, origin);
    }
  }

  if (lms === null) {
    return;
  }
  button.hidden = false;
  button.addEventListener("click", close);
  // Where there is something to read, the person closes the page.
  if (closing.dataset.closes === "now") {
    close();
  }
})();
