"""Tokens that must not be believed for their form or signature: contracts/lti.md 4.J."""

import base64
import hashlib
import hmac
import io
import json

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from tests.attacks.verdict import assert_accepted, assert_refused
from tests.lti_tool.platform import JWKS_URL, b64, begin, jwk, segment

HEADER = {"alg": "RS256", "typ": "JWT", "kid": "k1"}

BAD_HEADERS = {
    "J02 no kid": {"alg": "RS256", "typ": "JWT"},
    "J03 unknown kid": HEADER | {"kid": "k9"},
    "J04 empty kid": HEADER | {"kid": ""},
    "J05 kid null": HEADER | {"kid": None},
    "J06 kid number": HEADER | {"kid": 1},
    "J07 kid list": HEADER | {"kid": ["k1"]},
    "J08 long kid": HEADER | {"kid": "k" * 10_000},
    "J09 kid injection": HEADER | {"kid": "k1' OR '1'='1"},
    "J10 kid path": HEADER | {"kid": "../../../dev/null"},
    "J12 other type": HEADER | {"typ": "at+jwt"},
    "type number": HEADER | {"typ": 5},
    "J14 alg None": HEADER | {"alg": "None"},
    "J16 alg absent": {"typ": "JWT", "kid": "k1"},
    "alg lower case": HEADER | {"alg": "rs256"},
    "alg list": HEADER | {"alg": ["RS256"]},
    "J24 jku": HEADER | {"jku": "https://evil.example/jwks"},
    "J25 x5u": HEADER | {"x5u": "https://evil.example/cert"},
    "J25 x5c": HEADER | {"x5c": ["MIIB"]},
    "J26 crit": HEADER | {"crit": ["exp"], "exp": 1},
    "J27 crit b64": HEADER | {"crit": ["b64"], "b64": False},
    "b64 alone": HEADER | {"b64": False},
    "J28 RS384": HEADER | {"alg": "RS384"},
    "J29 PS256": HEADER | {"alg": "PS256"},
    "J30 ES256": HEADER | {"alg": "ES256"},
    "J37 list": [HEADER],
    "J38 text": '"RS256"',
    "J43 alg twice": '{"alg":"RS256","alg":"none","kid":"k1"}',
    "kid with a line break": HEADER | {"kid": "k1\nk1"},
    "kid in other letters": HEADER | {"kid": "K1"},
    "J24 jku of the platform itself": HEADER | {"jku": JWKS_URL},
    "zip": HEADER | {"zip": "DEF"},
    "enc": HEADER | {"enc": "A256GCM"},
    "alg null": HEADER | {"alg": None},
    "alg of a curve": HEADER | {"alg": "EdDSA"},
    "J37 number": "5",
    "J37 nothing": "",
    "kid surrogate": '{"alg":"RS256","kid":"\\ud800"}',
    "not JSON": "{alg:RS256}",
    "NaN": '{"alg":"RS256","kid":"k1","x":NaN}',
}


@pytest.mark.parametrize("header", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_a_token_with_this_header_is_refused(stage, header):
    browser = stage.browser()
    login = begin(browser, stage.lms)
    token = stage.lms.sign(stage.lms.claims(login.nonce), header)

    response = browser.post("/lti/launch", data={"id_token": token, "state": login.state})

    assert_refused(stage, response)


def unsigned(_lms, body):
    return f"{segment({'alg': 'none', 'kid': 'k1'})}.{segment(body)}."


def by_hmac(secret):
    def made(lms, body):
        signed = f"{segment(HEADER | {'alg': 'HS256'})}.{segment(body)}"
        mac = hmac.new(secret(lms), signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{b64(mac)}"

    return made


def public_pem(lms):
    return lms.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def replaced(lms, body):
    header, _, signature = lms.sign(body).split(".")
    return f"{header}.{segment(body | {'sub': 'teacher'})}.{signature}"


def flipped(lms, body):
    header, payload, signature = lms.sign(body).split(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[0] ^= 1
    return f"{header}.{payload}.{b64(bytes(raw))}"


def embedded_key(lms, body):
    header = HEADER | {"jwk": jwk(lms.key, "k1")}
    return lms.sign(body, header)


def with_text(text):
    return lambda lms, _body: lms.sign(text)


def by_pss(lms, body):
    signed = f"{segment(HEADER)}.{segment(body)}"
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return f"{signed}.{b64(lms.key.sign(signed.encode(), scheme, hashes.SHA256()))}"


BAD_TOKENS = {
    "J13 none": unsigned,
    "J15 HMAC with the public key": by_hmac(public_pem),
    "J17 HMAC with the client id": by_hmac(lambda lms: lms.client_id.encode()),
    "HMAC with nothing": by_hmac(lambda _lms: b""),
    "J18 signature changed": flipped,
    "J19 payload replaced": replaced,
    "J20 no signature": lambda lms, body: lms.sign(body).rpartition(".")[0] + ".",
    "J21 two segments": lambda lms, body: lms.sign(body).rpartition(".")[0],
    "J22 five segments": lambda lms, body: lms.sign(body) + ".a.b",
    "J23 embedded key": embedded_key,
    "RS256 header over a PSS signature": by_pss,
    "J39 payload text": with_text('"hello"'),
    "J40 payload list": with_text("[]"),
    "J41 nested deeply": with_text("[" * 40_000),
    "nested more deeply than the cap": with_text("[" * 100_000),
    "J42 payload null": with_text("null"),
    "J45 huge integer": lambda lms, body: lms.sign(
        json.dumps(body)[:-1] + ', "exp2": ' + "9" * 10_000 + "}"
    ),
    "J53 NaN": lambda lms, body: lms.sign(json.dumps(body | {"x": float("nan")})),
    "J53 Infinity": lambda lms, body: lms.sign(json.dumps(body | {"x": float("inf")})),
    "claim twice": lambda lms, body: lms.sign(json.dumps(body)[:-1] + ', "sub": "teacher"}'),
    "J44 padded": lambda lms, body: lms.sign(body) + "==",
    "J46 spaces": lambda lms, body: " " + lms.sign(body),
    "J48 empty": lambda _lms, _body: "",
    "not base64": lambda _lms, _body: "a.b.c",
    "not ASCII": lambda _lms, _body: "é.é.é",
    "J50 large": lambda lms, body: lms.sign(body | {"x": "x" * 90_000}),
    "payload empty": with_text("{}"),
    "payload of another's encoding": lambda lms, body: lms.sign(json.dumps(body)).replace("-", "+"),
    "signature doubled": lambda lms, body: lms.sign(body) + lms.sign(body).rpartition(".")[2],
    "signature of another token": lambda lms, body: ".".join(
        (*lms.sign(body).split(".")[:2], lms.sign(body | {"sub": "x"}).rpartition(".")[2])
    ),
    "the header of another token": lambda lms, body: ".".join(
        (segment(HEADER | {"cty": "x"}), *lms.sign(body).split(".")[1:])
    ),
    "nested JSON signature form": lambda _lms, body: json.dumps(
        {"payload": segment(body), "signatures": [{"protected": segment(HEADER)}]}
    ),
    "encrypted form of five parts": lambda lms, body: ".".join(
        [*lms.sign(body).split("."), "a", "b"]
    ),
    "byte order mark": lambda lms, body: lms.sign("\ufeff" + json.dumps(body)),
}


@pytest.mark.parametrize("made", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_this_token_is_refused(stage, made):
    browser = stage.browser()
    login = begin(browser, stage.lms)
    token = made(stage.lms, stage.lms.claims(login.nonce))

    response = browser.post("/lti/launch", data={"id_token": token, "state": login.state})

    assert_refused(stage, response)
    assert token[:40] not in response.text or not token


def test_w25_a_foreign_key_is_told_no_more_than_an_unknown_one(stage, signing_keys):
    pages = []
    for header, key in ((HEADER, signing_keys["attacker"]), (HEADER | {"kid": "k9"}, None)):
        browser = stage.browser()
        login = begin(browser, stage.lms)
        token = stage.lms.sign(stage.lms.claims(login.nonce), header, key=key)
        response = browser.post("/lti/launch", data={"id_token": token, "state": login.state})
        assert_refused(stage, response)
        pages.append(response.text.partition("Reference number")[0])

    assert pages[0] == pages[1]


def test_j25_no_address_in_a_token_is_ever_asked(stage):
    browser = stage.browser()
    login = begin(browser, stage.lms)
    header = HEADER | {"jku": "https://evil.example/jwks", "kid": "k9"}

    browser.post(
        "/lti/launch",
        data={
            "id_token": stage.lms.sign(stage.lms.claims(login.nonce), header),
            "state": login.state,
        },
    )

    assert set(stage.key_sets.fetches) <= {JWKS_URL}


@pytest.mark.parametrize("form", [{}, {"state": "x"}, {"id_token": "a.b.c"}])
def test_j47_a_launch_without_its_parts_is_refused(stage, form):
    assert_refused(stage, stage.browser().post("/lti/launch", data=form))


def test_j49_a_token_in_the_address_is_not_looked_at(stage):
    browser = stage.browser()
    login = begin(browser, stage.lms)
    token = stage.lms.sign(stage.lms.claims(login.nonce))

    response = browser.post(
        "/lti/launch", query_string={"id_token": token}, data={"state": login.state}
    )

    assert_refused(stage, response)


def test_j54_a_token_given_twice_is_refused(stage):
    browser = stage.browser()
    login = begin(browser, stage.lms)
    token = stage.lms.sign(stage.lms.claims(login.nonce))

    response = browser.post("/lti/launch", data={"id_token": [token, token], "state": login.state})

    assert_refused(stage, response)


def test_j55_a_launch_as_json_is_refused(stage):
    browser = stage.browser()
    login = begin(browser, stage.lms)
    token = stage.lms.sign(stage.lms.claims(login.nonce))

    response = browser.post("/lti/launch", json={"id_token": token, "state": login.state})

    assert_refused(stage, response)


def test_j55_a_launch_with_a_file_is_refused(stage):
    browser = stage.browser()
    login = begin(browser, stage.lms)
    token = stage.lms.sign(stage.lms.claims(login.nonce))

    response = browser.post(
        "/lti/launch",
        data={"id_token": token, "state": login.state, "f": (io.BytesIO(b"x"), "x.txt")},
    )

    assert_refused(stage, response)


def test_a_body_without_end_is_refused(stage):
    response = stage.browser().post("/lti/launch", data={"id_token": "x" * 2_000_000})

    assert_refused(stage, response)


def test_j51_an_error_of_the_lms_is_explained_escaped_and_ends_the_login(stage):
    browser = stage.browser()
    login = begin(browser, stage.lms)
    error = {"error": "login_required", "error_description": "<script>x</script>"}

    response = browser.post("/lti/launch", data=error | {"state": login.state})

    assert_refused(stage, response)
    assert "did not let you in" in response.text
    assert "<script" not in response.text
    assert stage.keys("waymark:login:*") == []


def test_j52_an_error_from_another_browser_does_not_end_the_login(stage):
    browser = stage.browser()
    login = begin(browser, stage.lms)

    stage.browser().post("/lti/launch", data={"error": "x", "state": login.state})
    token = stage.lms.sign(stage.lms.claims(login.nonce))
    response = browser.post("/lti/launch", data={"id_token": token, "state": login.state})

    assert_accepted(stage, response)


@pytest.mark.parametrize(
    "header",
    [{"alg": "RS256", "kid": "k1"}, HEADER | {"typ": "jwt"}, HEADER | {"cty": "x"}],
    ids=["J11 no type", "J11 type in lower case", "unknown member"],
)
def test_a_header_that_real_platforms_send_is_taken(stage, header):
    browser = stage.browser()
    login = begin(browser, stage.lms)
    token = stage.lms.sign(stage.lms.claims(login.nonce), header)

    response = browser.post("/lti/launch", data={"id_token": token, "state": login.state})

    assert_accepted(stage, response)


def test_j01_the_token_that_all_these_spoil_is_taken(stage):
    browser = stage.browser()
    login = begin(browser, stage.lms)
    token = stage.lms.sign(stage.lms.claims(login.nonce))

    response = browser.post("/lti/launch", data={"id_token": token, "state": login.state})

    assert_accepted(stage, response)


@pytest.mark.parametrize("content_type", ["", "text/plain", "multipart/form-data; boundary=b"])
def test_j55_a_launch_of_another_media_type_is_refused(stage, content_type):
    browser = stage.browser()
    login = begin(browser, stage.lms)
    token = stage.lms.sign(stage.lms.claims(login.nonce))

    response = browser.post(
        "/lti/launch", data=f"id_token={token}&state={login.state}", content_type=content_type
    )

    assert_refused(stage, response)


def test_j51_an_error_without_a_login_is_explained_and_ends_none(stage):
    login = begin(stage.browser(), stage.lms)

    response = stage.browser().post("/lti/launch", data={"error": "login_required"})

    assert_refused(stage, response)
    assert "did not let you in" in response.text
    assert len(stage.keys("waymark:login:*")) == 1
    assert login.state not in response.text


def test_an_error_beside_a_token_is_an_error(stage):
    browser = stage.browser()
    login = begin(browser, stage.lms)
    token = stage.lms.sign(stage.lms.claims(login.nonce))

    response = browser.post(
        "/lti/launch", data={"id_token": token, "state": login.state, "error": "x"}
    )

    assert_refused(stage, response)


def test_no_page_of_a_refusal_repeats_the_token_or_the_state(stage):
    browser = stage.browser()
    login = begin(browser, stage.lms)
    token = stage.lms.sign(stage.lms.claims(login.nonce, exp=1))

    response = browser.post("/lti/launch", data={"id_token": token, "state": login.state})

    assert_refused(stage, response)
    for sent in (login.state, login.nonce, *token.split(".")):
        assert sent not in response.text
