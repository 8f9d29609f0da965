from datetime import date

import pytest

from connectors.platform import PlatformKind
from mapping.records import PassbackWay
from simulators.files import Addresses, write_all
from simulators.generate import draw
from simulators.signing import PlatformKey
from tests.contracts.subjects import NAMES, fake, recorded_moodle, simulated

CANVAS, MOODLE = PlatformKind.CANVAS, PlatformKind.MOODLE


@pytest.fixture(scope="session")
def district(tmp_path_factory):
    """The small district on disk, with the platforms' keys made once."""
    folder = tmp_path_factory.mktemp("district")
    anywhere = Addresses(canvas="http://c.example", moodle="http://m.example", tool="http://t")
    plan = draw(1, "small", today=date(2026, 11, 20))
    write_all(folder, plan, addresses=anywhere, seed=1)
    for lms in ("canvas", "moodle"):
        PlatformKey.load_or_create(folder / f"{lms}.pem")
    return folder


@pytest.fixture(params=NAMES)
def subject(request, tmp_path, district):
    openings = {
        "fake": fake,
        "recorded-moodle": recorded_moodle,
        "canvas-words": lambda: simulated(district, tmp_path, CANVAS, PassbackWay.WORDS),
        "canvas-marks": lambda: simulated(district, tmp_path, CANVAS, PassbackWay.MARK_NOT_COUNTED),
        "moodle-words": lambda: simulated(district, tmp_path, MOODLE, PassbackWay.WORDS),
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
