import pytest

from connectors import PlatformKind, connect
from tests.connectors.doubles import access, services
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
