import gzip
import traceback
from ipaddress import ip_network

import msgspec
import pytest
from werkzeug.wrappers import Response

from connectors import registering
from connectors.errors import GiveUp, RetryLater
from connectors.registering import PlatformConfiguration, read_configuration, register
from tests.connectors.doubles import LOOPBACK
from tests.connectors.serving import ScriptedLms, answer_json, raw_server, serving
from tests.connectors.test_addresses import answering

PLATFORM_CLAIM = "https://purl.imsglobal.org/spec/lti-platform-configuration"
TOOL_CLAIM = "https://purl.imsglobal.org/spec/lti-tool-configuration"
SCORE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
MEMBERS = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
CANVAS = "https://canvas.instructure.com"
PUBLIC = "93.184.216.34"
TOKEN = "registration-s3cret"
PATH = "/mod/lti/openid-configuration.php"
BODY = {
    "application_type": "web",
    "redirect_uris": ["https://waymark.example/lti/launch"],
    "scope": f"{SCORE} {MEMBERS}",
    TOOL_CLAIM: {"claims": ["sub", "email"]},
}


def document(url, **changes):
    facts = {
        "issuer": url,
        "authorization_endpoint": f"{url}/auth",
        "token_endpoint": f"{url}/token",
        "jwks_uri": f"{url}/jwks",
        "registration_endpoint": f"{url}/register",
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "scopes_supported": [SCORE, MEMBERS],
        "claims_supported": ["sub", "email"],
        PLATFORM_CLAIM: {
            "product_family_code": "moodle",
            "version": "4.5.6",
            "messages_supported": [
                {"type": "LtiResourceLinkRequest"},
                {"type": "LtiDeepLinkingRequest", "placements": ["ContentArea"]},
            ],
            "variables": ["Context.id"],
        },
    }
    return {name: value for name, value in {**facts, **changes}.items() if value is not None}


def read(url, *, token=TOKEN, networks=LOOPBACK, **options):
    return read_configuration(
        url,
        token=token,
        public_url="http://localhost:8100",
        private_networks=networks,
        **options,
    )


def refused(url, **options):
    with pytest.raises((GiveUp, RetryLater)) as caught:
        read(url, **options)
    return caught.value


def read_changed(lms, **changes):
    lms.on("GET", PATH, answer_json(document(lms.url, **changes)))
    return read(lms.url + PATH)


def refused_changed(lms, **changes):
    with pytest.raises(GiveUp) as caught:
        read_changed(lms, **changes)
    return caught.value


def hand_in(lms, answer, *, token=TOKEN, body=None):
    lms.on("POST", "/register", answer)
    configuration = PlatformConfiguration(
        url=lms.url + PATH,
        issuer=lms.url,
        authorization_endpoint=f"{lms.url}/auth",
        token_endpoint=f"{lms.url}/token",
        jwks_uri=f"{lms.url}/jwks",
        registration_endpoint=f"{lms.url}/register",
    )
    return register(
        configuration,
        body or BODY,
        token=token,
        public_url="http://localhost:8100",
        private_networks=LOOPBACK,
    )


def test_r01_a_platform_is_read_as_it_describes_itself(lms):
    found = read_changed(lms)

    assert (found.issuer, found.token_endpoint) == (lms.url, f"{lms.url}/token")
    assert (found.product_family, found.version) == ("moodle", "4.5.6")
    assert (found.scopes, found.variables) == ((SCORE, MEMBERS), ("Context.id",))
    assert [(one.type, one.placements) for one in found.messages] == [
        ("LtiResourceLinkRequest", ()),
        ("LtiDeepLinkingRequest", ("ContentArea",)),
    ]
    assert (found.other_hosts, found.audience, found.name) == ((), "", "")


def test_the_configuration_is_asked_for_with_the_token(lms):
    read_changed(lms)

    assert lms.seen[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_r03_without_a_token_none_is_sent(lms):
    lms.on("GET", PATH, answer_json(document(lms.url)))

    read(lms.url + PATH, token="")
    hand_in(lms, answer_json({"client_id": "c"}), token="")

    assert ["authorization" in one.headers for one in lms.seen] == [False, False]


CLOSED = [
    "http://127.0.0.1/c",
    "http://127.0.0.1:8081/c",
    "https://127.0.0.1/c",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/c",
    "https://0x7f.1/c",
    "https://2130706433/c",
    "https://[::ffff:127.0.0.1]/c",
    "https://[64:ff9b::7f00:1]/c",
    "https://private.example/c",
    "https://unknown.example/c",
    "file:///etc/passwd",
    "gopher://127.0.0.1/c",
    "ftp://93.184.216.34/c",
    f"https://{PUBLIC}:22/c",
    f"https://{PUBLIC}:8443/c",
    f"http://{PUBLIC}/c",
    f"https://user@{PUBLIC}/c",
    "https://127.0.0.1\\@lms.example/c",
    "//127.0.0.1/c",
    "https:///c",
    "",
    "https://[broken/c",
]


@pytest.mark.parametrize("url", CLOSED)
def test_r05_an_address_that_is_not_to_be_asked_is_refused_in_the_same_words(url, monkeypatch):
    import socket

    real = socket.getaddrinfo

    def look_up(host, *arguments, **options):
        if host == "private.example":
            return [(0, 0, 0, "", ("10.0.0.1", 443))]
        if host == "unknown.example":
            raise socket.gaierror
        return real(host, *arguments, **options)

    connected = []
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket.socket, "connect", lambda *place: connected.append(place))

    found = refused(url, networks=())

    assert found.cause == "private_address"
    assert str(found) == str(refused("https://127.0.0.1/c", networks=()))
    assert connected == []


def test_r07_a_configuration_above_256_kb_is_not_read(lms):
    lms.on("GET", PATH, Response(b'{"a":"' + b"x" * (20 << 20) + b'"}'))

    assert refused(lms.url + PATH).cause == "too_large"


def test_r07_a_packed_bomb_is_not_unpacked(lms):
    headers = {"Content-Encoding": "gzip"}
    lms.on("GET", PATH, Response(gzip.compress(b" " * (64 << 20)), headers=headers))

    assert refused(lms.url + PATH).cause == "too_large"


def test_r07_a_configuration_that_drips_is_left_after_its_time(monkeypatch):
    monkeypatch.setattr(registering, "TOTAL_SECONDS", 0.3)

    def talk(connection):
        connection.recv(65536)
        server.drip(connection, b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")

    with raw_server(talk) as server:
        found = refused(f"http://127.0.0.1:{server.port}/c")

    assert (type(found), found.cause) == (RetryLater, "timeout")


def test_r07_the_limits_are_256_kb_and_ten_seconds():
    assert (registering.LARGEST_BYTES, registering.TOTAL_SECONDS) == (256 * 1024, 10.0)


@pytest.mark.parametrize(
    "issuer",
    [
        "https://lms.example",
        "http://127.0.0.1",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1:1",
        "https://canvas.instructure.com.evil.example",
        "https://canvas.instructure.com",
    ],
)
def test_r09_a_configuration_speaks_for_the_issuer_of_its_own_host_only(lms, issuer):
    assert refused_changed(lms, issuer=issuer).cause == "foreign_issuer"


def test_r09_a_longer_name_that_begins_alike_is_another_host(lms, monkeypatch):
    answering(monkeypatch, ["127.0.0.1"])
    port = lms.url.rpartition(":")[2]
    evil = f"http://lms.example.evil.net:{port}"
    lms.on("GET", "/c", answer_json(document(evil, issuer=f"http://lms.example:{port}")))

    assert refused(f"{evil}/c").cause == "foreign_issuer"


def test_r09_a_registration_at_another_site_is_refused_and_gets_no_token(lms):
    elsewhere = ScriptedLms()
    with serving(elsewhere) as url:
        found = refused_changed(lms, registration_endpoint=f"{url}/register")

    assert found.cause == "foreign_issuer"
    assert elsewhere.seen == []


def canvas_document(url):
    sso = "https://sso.canvaslms.com"
    return document(
        url,
        issuer=CANVAS,
        authorization_endpoint=f"{sso}/api/lti/authorize_redirect",
        token_endpoint=f"{sso}/login/oauth2/token",
        jwks_uri=f"{sso}/api/lti/security/jwks",
    )


def test_r11_a_schools_canvas_speaks_for_canvas_where_the_invitation_names_it(lms, monkeypatch):
    answering(monkeypatch, [PUBLIC])
    lms.on("GET", "/c", answer_json(canvas_document(lms.url)))

    found = read(f"{lms.url}/c", invited_url=lms.url)

    assert found.issuer == CANVAS
    assert found.other_hosts == ("127.0.0.1", "sso.canvaslms.com")


@pytest.mark.parametrize("invited", ["", "https://school.instructure.com", "nothing"])
def test_r11_nobody_else_speaks_for_canvas(lms, invited):
    lms.on("GET", "/c", answer_json(canvas_document(lms.url)))

    assert refused(f"{lms.url}/c", invited_url=invited).cause == "foreign_issuer"


def test_r11_a_canvas_with_a_strange_token_address_is_refused(lms):
    changed = canvas_document(lms.url) | {"token_endpoint": "https://evil.example/token"}
    lms.on("GET", "/c", answer_json(changed))

    assert refused(f"{lms.url}/c", invited_url=lms.url).cause == "foreign_issuer"


def test_r11_endpoints_on_other_hosts_are_shown(lms, monkeypatch):
    answering(monkeypatch, [PUBLIC])

    found = read_changed(
        lms,
        jwks_uri="https://keys.lms.example/jwks",
        authorization_endpoint="https://login.lms.example/auth",
    )

    assert found.other_hosts == ("keys.lms.example", "login.lms.example")


@pytest.mark.parametrize("name", ["jwks_uri", "token_endpoint", "authorization_endpoint"])
@pytest.mark.parametrize(
    "url",
    [
        "http://keys.lms.example/jwks",
        "https://10.0.0.1/jwks",
        "https://169.254.169.254/jwks",
        "https://keys.lms.example:22/jwks",
    ],
)
def test_r11_endpoints_that_are_not_to_be_asked_are_refused(lms, monkeypatch, name, url):
    answering(monkeypatch, [PUBLIC])

    assert refused_changed(lms, **{name: url}).cause == "private_address"


@pytest.mark.parametrize(("scheme", "is_fine"), [("https", True), ("http", False)])
def test_r11_an_endpoint_whose_host_is_not_known_now_is_judged_later(
    lms, monkeypatch, scheme, is_fine
):
    answering(monkeypatch, [])
    lms.on("GET", PATH, answer_json(document(lms.url, jwks_uri=f"{scheme}://keys.example/jwks")))

    if is_fine:
        assert read(lms.url + PATH).other_hosts == ("keys.example",)
    else:
        assert refused(lms.url + PATH).cause == "private_address"


@pytest.mark.parametrize(
    "changes",
    [
        {"id_token_signing_alg_values_supported": ["ES256"]},
        {"id_token_signing_alg_values_supported": []},
        {"id_token_signing_alg_values_supported": None},
        {"id_token_signing_alg_values_supported": {"RS256": True}},
        {"token_endpoint_auth_methods_supported": ["client_secret_post"]},
    ],
)
def test_r13_a_platform_that_does_not_sign_as_lti_wants_is_refused(lms, changes):
    assert refused_changed(lms, **changes).cause == "unsafe_platform"


@pytest.mark.parametrize(
    "name",
    ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint"],
)
@pytest.mark.parametrize("value", [None, "", 7, ["x"], "not an address", "x" * 5000])
def test_a_configuration_without_its_addresses_is_refused(lms, name, value):
    found = refused_changed(lms, **{name: value})

    assert found.cause == "incomplete_configuration"
    assert name in str(found)


@pytest.mark.parametrize(
    "body", [b"<html>Log in", b"[]", b"null", b"{", b"", b"\xff\xfe", b"[" * 200_000]
)
def test_what_is_no_configuration_is_refused(lms, body):
    lms.on("GET", PATH, Response(body))

    assert refused(lms.url + PATH).cause == "unreadable_registration"


@pytest.mark.parametrize(
    "strange",
    [
        {PLATFORM_CLAIM: "text"},
        {PLATFORM_CLAIM: {"messages_supported": ["LtiResourceLinkRequest", {"type": 7}, 3]}},
        {PLATFORM_CLAIM: {"messages_supported": {}, "variables": None, "version": 45}},
        {"scopes_supported": None, "claims_supported": 7},
    ],
)
def test_what_a_platform_says_beside_its_addresses_may_be_missing_or_strange(lms, strange):
    assert read_changed(lms, **strange).issuer == lms.url


def test_an_audience_of_its_own_is_kept(lms):
    assert read_changed(lms, authorization_server="urn:lms").audience == "urn:lms"


def test_a_redirect_is_not_followed_and_the_token_stays(lms):
    elsewhere = ScriptedLms()
    with serving(elsewhere) as url:
        lms.on("GET", PATH, Response(b"", status=302, headers={"Location": f"{url}/c"}))
        found = refused(lms.url + PATH)

    assert found.cause == "redirected"
    assert elsewhere.seen == []


def test_a_registration_link_that_is_too_old_is_told(lms):
    lms.on("GET", PATH, Response(b"", status=401))

    assert "Start again from the LMS" in str(refused(lms.url + PATH))


def test_r15_the_registration_is_handed_in_as_json_with_the_token(lms):
    hand_in(lms, answer_json({"client_id": "c1"}))

    sent = lms.to("/register")[0]
    assert sent.json == BODY
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("answer", "deployment"),
    [
        ({TOOL_CLAIM: {"deployment_id": "2"}}, "2"),
        ({TOOL_CLAIM: {"deployment_id": 2}}, "2"),
        ({"deployment_id": "2"}, "2"),
        ({TOOL_CLAIM: {}}, None),
        ({TOOL_CLAIM: {"deployment_id": ""}}, None),
        ({TOOL_CLAIM: {"deployment_id": None}}, None),
        ({TOOL_CLAIM: {"deployment_id": True}}, None),
        ({}, None),
    ],
)
def test_r18_r19_a_deployment_is_known_where_the_answer_names_one(lms, answer, deployment):
    found = hand_in(lms, answer_json({"client_id": "c1", **answer}))

    assert (found.client_id, found.deployment_id) == ("c1", deployment)


@pytest.mark.parametrize("client_id", [None, "", "  ", True, {}, 1.5])
def test_r17_an_answer_without_a_client_id_registers_nothing(lms, client_id):
    with pytest.raises(GiveUp) as caught:
        hand_in(lms, answer_json({"client_id": client_id}))

    assert caught.value.cause == "no_client_id"


def test_a_client_id_that_is_a_number_is_read_as_its_digits(lms):
    assert hand_in(lms, answer_json({"client_id": 10000000000068})).client_id == "10000000000068"


@pytest.mark.parametrize("body", [b"<html>Welcome", b"", b"[]", b"ok"])
def test_r17_an_answer_that_is_no_registration_is_refused(lms, body):
    with pytest.raises(GiveUp) as caught:
        hand_in(lms, Response(body))

    assert caught.value.cause == "unreadable_registration"


@pytest.mark.parametrize(
    ("status", "words", "meaning"),
    [
        (401, "missing_registration_token", "registration token"),
        (401, "token_already_used", "used before"),
        (400, "missing required attribute jwks_uri", "by hand"),
        (400, "domain_targetlinkuri_mismatch", "WAYMARK_PUBLIC_URL"),
        (404, "<html>Moodle says no", "Start again"),
        (403, "", "Start again"),
        (422, "{}", "status 422"),
    ],
)
def test_r17_a_refusal_is_told_in_the_administrators_words(lms, status, words, meaning):
    with pytest.raises(GiveUp) as caught:
        hand_in(lms, Response(words, status=status, content_type="text/html"))

    assert caught.value.cause == "registration_refused"
    assert meaning in str(caught.value)


def test_a_platform_in_trouble_may_be_asked_again(lms):
    with pytest.raises(RetryLater) as caught:
        hand_in(lms, Response(b"", status=502))

    assert "Nothing was registered" in str(caught.value)


def test_r27_scopes_and_claims_that_were_not_granted_are_told(lms):
    answer = {"client_id": "c1", "scope": SCORE, TOOL_CLAIM: {"claims": ["sub"]}}

    found = hand_in(lms, answer_json(answer))

    assert found.scopes == (SCORE,)
    assert len(found.warnings) == 2
    assert MEMBERS in found.warnings[0]
    assert "email" in found.warnings[1]


def test_r27_what_the_answer_does_not_repeat_is_taken_as_asked(lms):
    found = hand_in(lms, answer_json({"client_id": "c1"}))

    assert found.scopes == (SCORE, MEMBERS)
    assert found.redirect_uris == ("https://waymark.example/lti/launch",)
    assert found.warnings == ()


@pytest.mark.parametrize(
    "uris",
    [
        [],
        ["https://evil.example/lti/launch"],
        ["https://waymark.example/lti/launch", "https://evil.example/"],
        ["https://waymark.example/lti/launch/"],
    ],
)
def test_r27_other_redirect_addresses_are_an_error(lms, uris):
    with pytest.raises(GiveUp) as caught:
        hand_in(lms, answer_json({"client_id": "c1", "redirect_uris": uris}))

    assert caught.value.cause == "redirect_uris_changed"


@pytest.mark.parametrize("status", [302, 400, 401, 404, 500])
def test_r23_the_token_stands_in_no_error_and_no_description(lms, status):
    url = f"{lms.url}{PATH}?registration_token={TOKEN}"
    lms.on("GET", PATH, answer_json(document(lms.url)), Response(b"", status=status))

    described = repr(read(url))
    with pytest.raises((GiveUp, RetryLater)) as caught:
        read(url)

    assert TOKEN not in described
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


def test_the_configuration_can_be_kept_between_two_requests(lms):
    found = read_changed(lms)

    assert msgspec.json.decode(msgspec.json.encode(found), type=PlatformConfiguration) == found


def test_a_network_that_is_not_listed_stays_closed(lms):
    lms.on("GET", PATH, answer_json(document(lms.url)))

    found = refused(lms.url + PATH, networks=[ip_network("10.0.0.0/8")])

    assert found.cause == "private_address"
    assert lms.seen == []
