"""A teacher places links in both LMSs, over real sockets; learners and teachers open them."""

import html
import http.cookiejar
import re
import sqlite3
import urllib.parse
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

import pytest

pytestmark = pytest.mark.story

KNOWN = """
    SELECT c.ref AS course, a.ref AS learner, k.id AS competency, k.identifier,
           coalesce(nullif(k.indicator, ''), k.statement) AS sentence
    FROM standings s
    JOIN competencies k ON k.id = s.competency_id AND NOT k.is_strand
    JOIN learner_accounts a ON a.learner_id = s.learner_id
    JOIN platforms p ON p.id = a.platform_id AND p.kind = :kind
    JOIN enrolments e ON e.learner_id = s.learner_id AND e.state = 'active'
    JOIN courses c ON c.id = e.course_id AND c.platform_id = p.id AND c.state = 'active'
    JOIN line_items i ON i.course_id = c.id
    JOIN alignments m ON m.line_item_id = i.id AND m.competency_id = k.id
    WHERE s.view = 1 AND s.evidence_count > 0 ORDER BY 1, 2, 3
"""
"""Learners of a course, and competencies of it in which they have evidence."""

PICKER = {
    "canvas": "/courses/{course}/external_tools/link_selection?user={user}",
    "moodle": "/mod/lti/contentitem.php?course={course}&user={user}",
}
LINK = {
    "canvas": "/courses/{course}/links/{link}?user={user}",
    "moodle": "/mod/lti/view.php?course={course}&link={link}&user={user}",
}


@dataclass
class Page:
    """A page as a browser has it, but for the drawing."""

    url: str
    text: str

    def form(self) -> tuple[str, dict[str, str]]:
        """Where the page's first form goes, with what is hidden in it."""
        form = re.search(r"<form.*?</form>", self.text, re.DOTALL)[0]
        action = html.unescape(re.search(r'action="([^"]*)"', form)[1])
        fields = re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', form)
        return (
            urllib.parse.urljoin(self.url, action),
            {name: html.unescape(value) for name, value in fields},
        )


class Person:
    """Somebody with a browser of their own, which trusts this machine without TLS."""

    def __init__(self) -> None:
        policy = http.cookiejar.DefaultCookiePolicy(secure_protocols=("http", "https"))
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar(policy))
        self._opener = urllib.request.build_opener(jar)

    def get(self, url: str) -> Page:
        return self._open(url, None)

    def post(self, url: str, fields: Mapping[str, object]) -> Page:
        return self._open(url, urllib.parse.urlencode(fields, doseq=True).encode())

    def launch(self, url: str) -> Page:
        """From a page of an LMS into Waymark; the second login has what the first one left."""
        first = self.get(url)
        self.post(*first.form())
        answered = self.post(*self.get(url).form())
        return self.post(*answered.form())

    def _open(self, url: str, data: bytes | None) -> Page:
        request = urllib.request.Request(  # noqa: S310 - our own servers
            url, data, {"User-Agent": "somebody"}
        )
        with self._opener.open(request) as reply:
            return Page(url=reply.url, text=reply.read().decode())


def in_lms(stage, kind, query, *values):
    path = stage.folder / "district" / f"{kind}.db"
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query, values).fetchall()


def teacher_of(stage, kind, course):
    sql = "SELECT person_id FROM enrolments WHERE course_id = ? AND role = 'teacher'"
    return in_lms(stage, kind, sql, int(course))[0][0]


def choose(person, picker_address, known, **fields):
    """Choose a competency; gives the LMS's page that takes the answer over."""
    action, hidden = person.launch(picker_address).form()
    chosen = {"competency": known.competency, "action": "place"}
    return person.post(*person.post(action, hidden | chosen | fields).form())


@pytest.mark.parametrize("kind", ["canvas", "moodle"])
def test_a_placed_link_shows_a_learner_what_the_teacher_chose(stage, kind):
    stage.run_night()
    known = stage.rows(KNOWN, kind=kind)[0]
    teacher, person = teacher_of(stage, kind, known.course), Person()
    before = in_lms(stage, kind, "SELECT count(*) FROM line_items")

    picker = stage.lms(kind) + PICKER[kind].format(course=known.course, user=teacher)
    page = choose(person, picker, known)
    if kind == "moodle":
        person.post(*page.form())

    ((link, custom),) = in_lms(stage, kind, "SELECT id, custom FROM placed_links")
    assert known.identifier in custom
    assert in_lms(stage, kind, "SELECT count(*) FROM line_items") == before
    address = stage.lms(kind) + LINK[kind]
    mine = Person().launch(address.format(course=known.course, link=link, user=known.learner))
    assert mine.url.endswith("/me")
    assert known.sentence in html.unescape(mine.text)
    assert mine.text.count("<details open>") == 1
    assert "Show everything" in mine.text
    table = Person().launch(address.format(course=known.course, link=link, user=teacher))
    assert table.url.endswith("/class")
    assert len(re.findall(r'<th scope="col" class="(?:one|whole)"', table.text)) == 1


def test_the_night_after_takes_no_evidence_from_what_was_placed_with_a_column(stage):
    stage.run_night()
    known = stage.rows(KNOWN, kind="canvas")[0]
    teacher, person = teacher_of(stage, "canvas", known.course), Person()
    address = PICKER["canvas"].replace("link_selection", "assignment_selection")
    picker = stage.canvas + address.format(course=known.course, user=teacher)
    action, hidden = choose(person, picker, known, column="yes").form()
    person.post(action, hidden | {"name": "How far am I?", "points": "4", "omit": "1"})
    newest = "SELECT assignment_id FROM line_items ORDER BY id DESC"
    item = in_lms(stage, "canvas", newest)[0][0]
    stage.change_score("canvas", known.course, known.learner, item=str(item), points=1)

    report = stage.run_night()

    assert not report.has_failures
    rows = stage.rows("SELECT title FROM line_items WHERE title = 'How far am I?'")
    assert rows == []
