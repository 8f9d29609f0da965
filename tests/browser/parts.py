"""A part of a page that htmx brings up to date."""

# Puts a button into the page that fetches the tables of another page of the visit.
PART = """(address) => {
  const base = location.pathname.split("/").slice(0, 3).join("/");
  const form = document.createElement("div");
  form.innerHTML = `<p><button hx-get="${base}/${address}" hx-select="table" hx-target="#part">
    Bring up to date</button></p><div id="part"></div>`;
  document.querySelector("main").append(form);
  htmx.process(form);
}"""
