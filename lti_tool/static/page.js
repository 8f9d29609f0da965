// What every page has: a word where a part of it could not be brought up to date.

const trouble = document.querySelector("[data-trouble]");

for (const event of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(event, () => {
    trouble.hidden = false;
  });
}
document.addEventListener("htmx:beforeRequest", () => {
  trouble.hidden = true;
});
