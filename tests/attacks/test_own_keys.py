"""Waymark's own keys: what anybody may see of them, and what nobody may: contracts/lti.md 4.X."""

import base64
import hashlib
import json
from pathlib import Path

import pytest

from bootstrap.embedded import prepare_data_dir
from bootstrap.settings import load_settings
from tests.lti_tool.platform import launch

PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


def published(stage):
    return stage.browser().get("/lti/jwks").json["keys"]


def test_x01_no_private_member_is_published(stage):
    for key in published(stage):
        assert set(key) & PRIVATE_MEMBERS == set()
        assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")


def test_x02_a_key_is_long_enough_and_named_by_its_thumbprint(stage):
    for key in published(stage):
        modulus = base64.urlsafe_b64decode(key["n"] + "==")
        assert len(modulus) * 8 >= 2048
        assert key["e"] == "AQAB"
        named = json.dumps(
            {name: key[name] for name in ("e", "kty", "n")}, separators=(",", ":")
        ).encode()
        digest = base64.urlsafe_b64encode(hashlib.sha256(named).digest())
        assert key["kid"] == digest.rstrip(b"=").decode()


def test_x05_no_file_of_the_database_holds_a_key_in_the_clear(fresh_stage):
    stage = fresh_stage
    launch(stage.browser(), stage.lms)
    assert published(stage)

    database = Path(stage.container.engine.url.database)
    kept = b"".join(file.read_bytes() for file in database.parent.glob(database.name + "*"))

    assert b"PRIVATE KEY" not in kept
    assert stage.container.tool_key().kid.encode() in kept


def test_x05_no_key_in_redis(stage):
    launch(stage.browser(), stage.lms)
    assert published(stage)

    for name in stage.keys("*"):
        assert b"PRIVATE KEY" not in stage.container.redis.dump(name)


def test_x06_who_has_the_key_set_is_told_that_it_did_not_change(stage):
    first = stage.browser().get("/lti/jwks")

    again = stage.browser().get("/lti/jwks", headers={"If-None-Match": first.headers["ETag"]})

    assert again.status_code == 304
    assert again.data == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_x08_the_key_set_is_read_only(stage, method):
    assert stage.browser().open("/lti/jwks", method=method).status_code == 405


def test_x09_the_secret_that_opens_the_keys_is_for_its_owner_alone(tmp_path):
    folder = tmp_path / "data"

    prepare_data_dir(load_settings({"WAYMARK_DATA_DIR": str(folder)}))

    open_to_others = {
        path.name for path in (folder, *folder.iterdir()) if path.stat().st_mode & 0o077
    }
    assert open_to_others == set()


@pytest.mark.parametrize("path", ["1", "client-A", "k1", "../../etc/passwd", "%00"])
def test_x11_no_address_of_a_key_set_tells_which_tenants_there_are(stage, path):
    assert stage.browser().get(f"/lti/jwks/{path}").status_code == 404


def test_x11_the_key_set_is_one_for_all_whoever_asks(stage):
    sets = {
        stage.browser().get("/lti/jwks", query_string={"client_id": client}).data
        for client in ("client-A", "client-B", "nobody", "")
    }

    assert len(sets) == 1


def test_x_a_page_and_a_log_hold_no_private_key(stage, caplog):
    caplog.set_level("DEBUG")
    key = stage.container.tool_key()

    text = stage.browser().get("/lti/jwks").text + repr(key) + repr(stage.container)

    secret = str(key.private_key.private_numbers().d)
    assert secret not in text + caplog.text
    assert "PRIVATE KEY" not in text + caplog.text
