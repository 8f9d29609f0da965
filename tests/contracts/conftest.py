import pytest

from connectors.platform import PlatformKind
from mapping.records import PassbackWay
from tests.contracts.subjects import NAMES, draw_district, fake, recorded_moodle, simulated

CANVAS, MOODLE = PlatformKind.CANVAS, PlatformKind.MOODLE


@pytest.fixture(scope="session")
def district(tmp_path_factory):
    return draw_district(tmp_path_factory.mktemp("district"))


@pytest.fixture(params=NAMES)
def subject(request, tmp_path, district):
    openings = {
        "fake": fake,
        "recorded-moodle": recorded_moodle,
        "canvas-words": lambda: simulated(district, tmp_path, CANVAS, PassbackWay.WORDS),
        "canvas-marks": lambda: simulated(district, tmp_path, CANVAS, PassbackWay.MARK_NOT_COUNTED),
        "canvas-marks-counted": lambda: simulated(
            district, tmp_path, CANVAS, PassbackWay.MARK_COUNTED
        ),
        "moodle-words": lambda: simulated(district, tmp_path, MOODLE, PassbackWay.WORDS),
        "moodle-marks-counted": lambda: simulated(
            district, tmp_path, MOODLE, PassbackWay.MARK_COUNTED
        ),
        "moodle-competency": lambda: simulated(district, tmp_path, MOODLE, PassbackWay.COMPETENCY),
    }
    with openings[request.param]() as opened:
        yield opened


@pytest.fixture
def canvas(tmp_path, district):
    with simulated(district, tmp_path, CANVAS, PassbackWay.MARK_NOT_COUNTED) as opened:
        yield opened


@pytest.fixture
def moodle(tmp_path, district):
    with simulated(district, tmp_path, MOODLE, PassbackWay.WORDS) as opened:
        yield opened
