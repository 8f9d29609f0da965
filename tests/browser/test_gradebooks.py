"""The simulators' gradebook pages, by hand: what a person does there happens."""

from contextlib import ExitStack

import pytest

import simulators.canvas
import simulators.moodle
from simulators.files import Addresses, write_all
from tests.stories.stage import free_port, serving_on
from tests.stories.tiny import MOODLE, Plan, spot, tiny_district
from tests.stories.truth import canvas_book, moodle_book

pytestmark = pytest.mark.browser

PLANS = (Plan(name="by hand"), Plan(name="by hand", school=MOODLE))
LMSS = ("canvas", "moodle")
APPS = {"canvas": simulators.canvas, "moodle": simulators.moodle}
BOOKS = {"canvas": canvas_book, "moodle": moodle_book}


class Gradebooks:
    """The pages of both LMSs, and what their files hold."""

    def __init__(self, folder, urls):
        self._folder = folder
        self.urls = urls

    def place(self, lms):
        return spot(PLANS, "by hand", lms)

    def page(self, lms):
        return f"{self.urls[lms]}/gradebook/{self.place(lms).course}"

    def cell(self, lms, item="homework"):
        where = self.place(lms)
        book = BOOKS[lms](self._folder / f"{lms}.db", where.course)
        return book.cells.get((str(where.items[item]), "", where.learners[0]))


@pytest.fixture(scope="module")
def gradebooks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gradebooks")
    ports = {lms: free_port() for lms in LMSS}
    addresses = Addresses(
        **{lms: f"http://127.0.0.1:{port}" for lms, port in ports.items()},
        tool="http://127.0.0.1:1",
    )
    write_all(folder, tiny_district(PLANS), addresses=addresses, seed=7)
    with ExitStack() as stack:
        urls = {
            lms: stack.enter_context(serving_on(port, APPS[lms].create_app(folder / f"{lms}.db")))
            for lms, port in ports.items()
        }
        yield Gradebooks(folder, urls)


@pytest.fixture
def page(chromium):
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(15_000)
    yield page
    context.close()


NAMES = {"canvas": ("assignment", "score"), "moodle": ("item", "points")}


@pytest.mark.parametrize("lms", LMSS)
def test_a_person_gives_a_score_and_takes_it_away(gradebooks, page, lms):
    item, score = NAMES[lms]
    page.goto(gradebooks.page(lms))
    form = page.locator("form").first

    _choose(form, item, gradebooks.place(lms).items["homework"])
    form.locator(f"[name={score}]").fill("12.5")
    form.locator("button").click()
    given = gradebooks.cell(lms)
    _choose(form, item, gradebooks.place(lms).items["homework"])
    form.locator(f"[name={score}]").fill("")
    form.locator("button").click()

    assert given["points"] == 12.5
    assert gradebooks.cell(lms) is None


ACTS = [
    ("canvas", "excuse_learner", "", ("state", "excused")),
    ("canvas", "grade", "7", ("points", 7)),
    ("canvas", "hide_scores", "", ("is_visible", False)),
    ("moodle", "override", "9", ("is_overridden", True)),
    ("moodle", "exclude", "", ("state", "excused")),
    ("moodle", "hide_cell", "", ("is_visible", False)),
]


@pytest.mark.parametrize(("lms", "kind", "value", "seen"), ACTS)
def test_a_person_does_whatever_else_people_do(gradebooks, page, lms, kind, value, seen):
    page.goto(gradebooks.page(lms))
    page.locator("summary").click()
    form = page.locator("details form")

    form.locator("[name=kind]").select_option(kind)
    _choose(form, "item", gradebooks.place(lms).items["quiz"])
    form.locator("[name=value]").fill(value)
    form.locator("button").click()

    name, expected = seen
    assert gradebooks.cell(lms, "quiz")[name] == expected


@pytest.mark.parametrize("lms", LMSS)
def test_what_nobody_can_do_is_told_on_a_page(gradebooks, page, lms):
    page.goto(gradebooks.page(lms))
    page.locator("summary").click()
    form = page.locator("details form")

    form.locator("[name=kind]").select_option("grade")
    form.locator("[name=value]").fill("great")
    form.locator("button").click()

    assert "is no number" in page.locator("main").inner_text()


def _choose(form, name, value):
    form.locator(f"[name={name}]").select_option(str(value))
