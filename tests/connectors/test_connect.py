import pytest

from connectors import PlatformKind, connect
from connectors.canvas import CanvasGradebook
from connectors.moodle import MoodleGradebook
from tests.connectors.doubles import access, services


@pytest.mark.parametrize(
    ("kind", "connector"),
    [(PlatformKind.CANVAS, CanvasGradebook), (PlatformKind.MOODLE, MoodleGradebook)],
)
def test_each_kind_of_platform_has_its_connector(kind, connector):
    gradebook = connect(access("https://lms.example", kind), services())

    assert isinstance(gradebook, connector)
    assert gradebook.calls == 0


@pytest.mark.parametrize(
    ("changes", "has_services"),
    [({}, True), ({"client_id": ""}, False), ({"token_url": ""}, False)],
)
def test_services_can_be_asked_where_lti_is_set_up(changes, has_services):
    assert access("https://lms.example", **changes).has_services is has_services
