// What every page has: a word where a part of it could not be brought up to date, and for the LMS
// how high the page is.

const trouble = document.querySelector("[data-trouble]");

for (const event of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(event, () => {
    trouble.hidden = false;
  });
}
document.addEventListener("htmx:beforeRequest", () => {
  trouble.hidden = true;
});

// A time zone that nobody chose yet is most likely the one of whoever is asked for it.
const zone = document.querySelector("[data-zone]");
if (zone && !zone.value) {
  zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
}

// What is there to be copied is marked whole.
for (const copied of document.querySelectorAll("[data-copy]")) {
  copied.addEventListener("focus", () => copied.select());
}

// Canvas, and whoever else understands lti.frameResize, makes the frame as high as the page, so that
// there is one scrollbar. A page with a table that scrolls under its own head keeps its frame, and
// what is no page of a visit (a login, say) tells the LMS nothing.
// Source: Canvas LMS, LTI window postMessages, lti.frameResize.
const LEAST_PIXELS = 480;
let told = 0;

function tellHeight() {
  if (!document.querySelector(".bar nav") || document.querySelector(".tall")) {
    return;
  }
  const height = Math.max(LEAST_PIXELS, Math.ceil(document.body.getBoundingClientRect().height));
  if (height !== told) {
    told = height;
    // A height is no secret, and browsers without ancestorOrigins do not say whose frame it is.
    const lms = window.location.ancestorOrigins?.[0] ?? "*";
    window.parent.postMessage({ subject: "lti.frameResize", height }, lms);
  }
}

if (window.parent !== window) {
  new ResizeObserver(tellHeight).observe(document.body);
}
