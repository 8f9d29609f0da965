"""The key set, as platforms fetch it."""

import json

import pytest

from lti_tool.launch.tool_keys import ToolKeys
from store import tool_keys
from store.session import writing


@pytest.fixture
def keys(container):
    return ToolKeys(container.key_ring)


def rotate(container):
    with writing(container.engine) as connection:
        tool_keys.replace_all(connection, container.secrets, container.now())
    container.key_ring.forget()


def test_the_document_is_the_key_set(keys):
    assert json.loads(keys.document().body) == keys.key_set()


def test_the_document_is_written_once_as_long_as_no_key_changes(keys, clock):
    before = keys.document()
    clock.advance(days=1)

    assert keys.document() is before


def test_another_key_is_another_document_with_another_tag(container, keys):
    before = keys.document()

    rotate(container)

    assert keys.document().etag != before.etag
    assert keys.current().kid in keys.document().body.decode()


def test_two_processes_write_the_same_tag(container, keys):
    other = ToolKeys(container.key_ring)

    assert other.document() == keys.document()
    assert other.document() is not keys.document()


def test_a_platform_without_a_pinned_key_is_signed_for_with_the_current_one(keys):
    assert keys.signing_key(None) is keys.current()


def test_x01_everybody_may_fetch_the_key_set_and_ask_whether_it_changed(stage):
    browser = stage.app.test_client()

    first = browser.get("/lti/jwks")
    again = browser.get("/lti/jwks", headers={"If-None-Match": first.headers["ETag"]})

    (jwk,) = first.json["keys"]
    assert (first.status_code, first.mimetype) == (200, "application/json")
    assert set(jwk) == {"kty", "n", "e", "kid", "alg", "use"}
    assert first.headers["Cache-Control"] == "public, max-age=3600"
    assert (again.status_code, again.data) == (304, b"")
