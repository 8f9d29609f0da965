"""What Canvas sends to others by itself: after the request that caused it, once, in the dark."""

import threading
from typing import Any

import requests
from flask import after_this_request
from werkzeug.wrappers import Response

TIMEOUT_SECONDS = 10.0


def post_soon(url: str, **body: Any) -> None:  # noqa: ANN401 - the bodies that requests knows
    """Post once the present request was answered; whether it arrives is nobody's business."""

    def start(response: Response) -> Response:
        threading.Thread(target=_post, args=(url, body), daemon=True).start()
        return response

    after_this_request(start)


def _post(url: str, body: dict[str, Any]) -> None:
    try:
        requests.post(url, timeout=TIMEOUT_SECONDS, allow_redirects=False, **body)
    except requests.RequestException:
        return
