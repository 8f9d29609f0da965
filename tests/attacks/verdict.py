"""What it means that a login or launch was refused, or accepted."""

import re
from typing import Any

SESSION_COOKIE = re.compile(r"__Host-waymark-[0-9a-f]{8}=[^;]")
LOGIN_COOKIE = re.compile(r"__Host-waymark-login-[0-9a-f]{8}=[^;]")


def cookies_of(response: Any) -> str:
    return "\n".join(response.headers.getlist("Set-Cookie"))


def assert_refused(stage: Any, response: Any) -> None:
    """A page for a person, status 4xx, and nothing begun: no cookie, no record, no redirect."""
    assert 400 <= response.status_code < 500, response.status
    assert "Location" not in response.headers
    assert not SESSION_COOKIE.search(cookies_of(response))
    assert not LOGIN_COOKIE.search(cookies_of(response))
    assert stage.keys("waymark:launch:*") == []
    assert "<h1>" in response.text
    assert response.headers["Cache-Control"] == "no-store"


def assert_accepted(stage: Any, response: Any) -> str:
    """A 303 to a page of our own, one session record and its cookie; the page's path."""
    assert response.status_code == 303, response.text
    location = response.headers["Location"]
    assert re.match(r"/l/[0-9a-f]{32}/[a-z]+", location)
    assert SESSION_COOKIE.search(cookies_of(response))
    assert len(stage.keys("waymark:launch:*")) >= 1
    return location
