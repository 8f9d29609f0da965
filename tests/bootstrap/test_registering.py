import pytest
from werkzeug.wrappers import Response

from bootstrap.registering import RegistrationRefused
from tests.connectors.serving import ScriptedLms, answer_json, serving
from tests.connectors.test_registering import BODY, document


@pytest.fixture
def lms():
    scripted = ScriptedLms()
    with serving(scripted) as url:
        scripted.url = url
        yield scripted


def test_a_platform_is_read_and_registered_with(container, lms):
    lms.on("GET", "/c", answer_json(document(lms.url)))
    lms.on("POST", "/register", answer_json({"client_id": "c1"}))

    configuration = container.read_registration(f"{lms.url}/c", "t0ken")
    answer = container.register(configuration, BODY, "t0ken")

    assert (configuration.issuer, answer.client_id) == (lms.url, "c1")


@pytest.mark.parametrize(
    ("status", "cause", "may_retry"),
    [(404, "not_found", False), (503, "maintenance", True)],
)
def test_what_fails_is_one_error_with_its_cause(container, lms, status, cause, may_retry):
    lms.on("GET", "/c", Response(b"", status=status))

    with pytest.raises(RegistrationRefused) as caught:
        container.read_registration(f"{lms.url}/c", "t0ken")

    assert (caught.value.cause, caught.value.may_retry) == (cause, may_retry)


def test_the_invitation_says_where_a_schools_canvas_lives(container, lms):
    lms.on("GET", "/c", answer_json(document(lms.url, issuer="https://canvas.instructure.com")))

    found = container.read_registration(f"{lms.url}/c", "t0ken", invited_url=lms.url)

    assert found.issuer == "https://canvas.instructure.com"
