"""What Canvas sends to others by itself: once, and nobody hears whether it arrived."""

import threading
from typing import Any

import requests

TIMEOUT_SECONDS = 10.0


def post_soon(url: str, **body: Any) -> None:  # noqa: ANN401 - the bodies that requests knows
    """Post beside the present request; whether it arrives is nobody's business."""
    threading.Thread(target=_post, args=(url, body), daemon=True).start()


def _post(url: str, body: dict[str, Any]) -> None:
    try:
        requests.post(url, timeout=TIMEOUT_SECONDS, allow_redirects=False, **body)
    except requests.RequestException:
        return
