import pytest

from connectors import PlatformKind, connect
from connectors.moodle.webservice import Webservice
from connectors.platform import open_client
from tests.connectors.doubles import access, services
from tests.connectors.serving import answer_json
from tests.replay import API_TOKEN, CLIENT_ID, TYPE_ID, serve_recordings


@pytest.fixture(scope="module")
def recorded_url():
    with serve_recordings() as url:
        yield url


@pytest.fixture
def recorded(recorded_url):
    """The connector for a real Moodle, as it was recorded."""
    return connect(recorded_access(recorded_url), services())


def recorded_access(url, **changes):
    facts = {
        "client_id": CLIENT_ID,
        "token_url": f"{url}/mod/lti/token.php",
        "deployment_ref": TYPE_ID,
        "api_token": API_TOKEN,
    }
    return access(url, PlatformKind.MOODLE, **{**facts, **changes})


@pytest.fixture
def answers(lms):
    """What a scripted Moodle answers, by function: a value, or what makes one of the form."""
    known = {}

    def answer(seen):
        name = seen.form["wsfunction"]
        offered = {"userid": 2, "functions": [{"name": one} for one in known]}
        found = known.get(name, offered)
        return answer_json(found(seen.form) if callable(found) else found)

    lms.on("POST", "/webservice/rest/server.php", answer)
    return known


@pytest.fixture
def service(lms, answers):  # noqa: ARG001 - it makes the server answer
    """The web services of that Moodle; it offers the functions that have an answer."""
    platform = access(lms.url, PlatformKind.MOODLE, issuer="https://moodle.example")
    return Webservice(open_client(platform, services()), platform)


def refusal(errorcode):
    """A refusal as Moodle sends it, in the reader's language."""
    return {"exception": "moodle_exception", "errorcode": errorcode, "message": "Não pode."}
