// Follows the reading of a class that was asked for, and shows the page anew when it is over.
const place = document.querySelector("[data-refreshing]");
const EVERY_MS = 2000;
const MOST_MISSES = 15;

async function follow(misses) {
  const answer = await fetch(place.dataset.refreshing, { cache: "no-store" })
    .then((response) => (response.ok ? response.json() : null))
    .catch(() => null);
  if (answer?.is_over) {
    location.reload();
    return;
  }
  if (answer && answer.html !== place.dataset.shown) {
    place.dataset.shown = answer.html;
    place.textContent = new DOMParser().parseFromString(answer.html, "text/html").body.textContent;
  }
  const missed = answer ? 0 : misses + 1;
  if (missed < MOST_MISSES) {
    setTimeout(follow, EVERY_MS, missed);
  }
}

if (place) {
  setTimeout(follow, EVERY_MS, 0);
}
