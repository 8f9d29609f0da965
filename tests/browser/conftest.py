"""A district after its night, a real browser, and somebody at the screen."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.desk import Desk
from tests.browser.processes import CHROMIUM_ARGS, descendants, outlive
from tests.databases import lay_database
from tests.stories.stage import Stage, district_on_stage

_NAMES = ("chromium", "chromium-browser", "google-chrome")
SIZES = {"laptop": (1280, 800), "phone": (375, 812)}


@pytest.fixture(scope="session")
def executable() -> str:
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(_NAMES)} is installed, so no page can be looked at")
    return found


@pytest.fixture(scope="session")
def stage(
    executable: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    del executable  # without a browser there is no need of a night
    folder = tmp_path_factory.mktemp("browser")
    database_url = lay_database(folder)
    with district_on_stage(folder, database_url, redis_url, tool_host="localhost") as stage:
        stage.run_night()
        yield stage


# Not for the session: while Playwright runs, an event loop runs in this thread.
@pytest.fixture(scope="module")
def chromium(executable: str) -> Iterator[Browser]:
    before = descendants()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(CHROMIUM_ARGS))
        started = descendants() - before
        yield browser
        browser.close()
    assert started
    assert not outlive(started)


@pytest.fixture(scope="module", params=SIZES)
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    return SIZES[request.param]


@pytest.fixture
def desk(chromium: Browser, stage: Stage, size: tuple[int, int]) -> Iterator[Desk]:
    """A browser of its own for each test, which must have had nothing to complain of."""
    desk = Desk(chromium, stage, size)
    yield desk
    desk.close()
    assert desk.complaints == []


@pytest.fixture(scope="module")
def seat(chromium: Browser, stage: Stage, size: tuple[int, int]) -> Iterator[Desk]:
    """A browser that stays open, for tests that only look at what was launched before."""
    desk = Desk(chromium, stage, size)
    yield desk
    desk.close()
    assert desk.complaints == []
