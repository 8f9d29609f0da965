"""Every page there is, and who looks at it: a new page joins by a line here."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Frame, Page

from store.session import reading
from tests.browser import people
from tests.browser.desk import Desk, Visit


def teacher(desk: Desk) -> Visit:
    place = people.teacher(desk.stage, "canvas")
    return desk.canvas(place.course, place.person)


def learner(desk: Desk) -> Visit:
    place = people.learner(desk.stage, "canvas")
    return desk.canvas(place.course, place.person)


def parent(desk: Desk) -> Visit:
    place, _ = people.canvas_parent(desk.stage)
    return desk.canvas(place.course, place.person)


def administrator(desk: Desk) -> Visit:
    return desk.canvas_account(people.school(desk.stage), people.administrator(desk.stage))


def picker(desk: Desk) -> Visit:
    place = people.teacher(desk.stage, "canvas")
    path = f"courses/{place.course}/external_tools/link_selection?user={place.person}"
    return desk.at(f"{desk.stage.canvas}/{path}")


@dataclass(frozen=True)
class Shown:
    """A page by whoever sees it; ids in braces are found in the district.

    From there ``typed`` is put into fields, and then ``links`` are followed one after the other.
    """

    who: Callable[[Desk], Visit]
    path: str
    links: tuple[str, ...] = ()
    locale: str = "en"
    typed: tuple[tuple[str, str], ...] = ()


# What a page's address is about, as SQL for one id of the district.
_IDS = {
    "run": "SELECT max(id) FROM runs",
    "course": "SELECT min(id) FROM courses",
    "school": "SELECT min(id) FROM schools",
    "framework": "SELECT min(id) FROM frameworks",
    "competency": "SELECT min(id) FROM competencies",
}
PAGES = {
    "class": Shown(teacher, "class"),
    "a learner of the class": Shown(teacher, "class", ("tbody th a",)),
    "why a status": Shown(teacher, "class", ("tbody tr:nth-child(2) td:nth-child(3) a",)),
    "judge": Shown(
        teacher,
        "class",
        ("tbody tr:nth-child(2) td:nth-child(3) a", "details[open] a[href*='/judge/']"),
    ),
    "my progress": Shown(learner, "me"),
    "my progress in Spanish": Shown(learner, "me", locale="es"),
    "family": Shown(parent, "family"),
    "a child": Shown(parent, "family", (".cards a",)),
    "choose": Shown(picker, "choose"),
    "start": Shown(administrator, "desk"),
    "runs": Shown(administrator, "runs"),
    "a run": Shown(administrator, "runs/{run}"),
    "two runs compared": Shown(administrator, "runs/compare?before={run}&after={run}"),
    "failures": Shown(administrator, "failures"),
    "courses": Shown(administrator, "courses"),
    "a course": Shown(administrator, "courses/{course}"),
    "a class for an administrator": Shown(administrator, "class/{course}"),
    "first yeses": Shown(administrator, "courses/waiting"),
    "gradebooks": Shown(administrator, "gradebooks"),
    "a course's way": Shown(administrator, "gradebooks/courses/{course}"),
    "a way that was not tried": Shown(administrator, "gradebooks/courses/{course}/mark_counted"),
    "a school's way": Shown(administrator, "gradebooks/schools/{school}"),
    "people": Shown(administrator, "people"),
    "LMSs": Shown(administrator, "lms"),
    "schools": Shown(administrator, "schools"),
    "what moves with a school": Shown(
        *(administrator, "schools", ("button.main",)), typed=(("input[name=school]", "Elsewhere"),)
    ),
    "rules": Shown(administrator, "rules?scope=course&called=a"),
    "the district's rule": Shown(administrator, "rules/district/0"),
    "a rule and its scale": Shown(administrator, "rules/district/0?scale=held"),
    "methods compared": Shown(
        administrator,
        "rules/compare?course={course}&method=latest&method=recent_n&numbers=&numbers=n%3D2",
    ),
    "how mastery works here": Shown(administrator, "rules/mastery"),
    "how mastery works, for learners": Shown(learner, "mastery"),
    "words": Shown(administrator, "rules/words"),
    "frameworks": Shown(administrator, "frameworks"),
    "a framework": Shown(administrator, "frameworks/{framework}"),
    "a competency": Shown(administrator, "frameworks/{framework}/competencies/{competency}"),
    "import a framework": Shown(administrator, "frameworks/import"),
    "a framework of one's own": Shown(administrator, "frameworks/new"),
    "verbs": Shown(administrator, "frameworks/verbs"),
    "changes": Shown(administrator, "changes"),
    "changes that are not": Shown(administrator, "changes?text=nowhere&since=never"),
    "mappings": Shown(administrator, "mappings"),
    "what the mapping covers": Shown(administrator, "mappings/coverage?course={course}"),
    "welcome": Shown(administrator, "welcome"),
    "an address that is none": Shown(administrator, "nowhere"),
    "another's page": Shown(learner, "runs"),
}


def go(desk: Desk, page: Shown) -> Frame:
    """Launch, once for each person, and go to the page."""
    visit = desk.once(page.who.__name__ + page.locale, page.who, locale=page.locale)
    visit.go(page.path.format_map(_Ids(desk)))
    for field, text in page.typed:
        visit.frame.locator(field).first.fill(text)
    for link in page.links:
        with visit.frame.expect_navigation():
            visit.frame.locator(link).first.click()
    return visit.frame


def page_of(frame: Frame | Page) -> Page:
    return frame.page if isinstance(frame, Frame) else frame


class _Ids(dict[str, int]):
    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._engine = desk.stage.container.engine

    def __missing__(self, name: str) -> int:
        with reading(self._engine) as connection:
            return connection.exec_driver_sql(_IDS[name]).scalar_one()
