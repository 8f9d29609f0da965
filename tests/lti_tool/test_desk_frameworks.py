"""Frameworks at the district's desk: sent, looked at, brought in, edited, exported, put away."""

import html
import io
import re

import pytest

from interchange.tabular import read_table
from store.framework_shelf import all_frameworks, known_framework
from store.frameworks import competencies_of
from store.indicators import indicators_of
from store.policy_changes import changes_of
from store.session import reading
from tests.lti_tool.classroom import ADMINISTRATOR, GUARDIAN, TEACHER, fill
from tests.lti_tool.test_pages import Visitor

FILE = b"code,statement,parent\nM,Music,\nM.1,Sings <b>a</b> song,M\nM.2,Know notes,M\n"
FOREIGN = {
    "roles": ADMINISTRATOR["roles"],
    "context": ADMINISTRATOR["context"],
    "custom": ADMINISTRATOR["custom"],
    "https://www.instructure.com/placement": "account_navigation",
}


@pytest.fixture
def ids(stage):
    return fill(stage)


@pytest.fixture
def office(stage, ids):
    assert ids
    return Visitor(stage, **ADMINISTRATOR)


def csrf(visitor):
    return re.search(r'name="csrf" value="([^"]+)"', visitor.get("frameworks/new").text)[1]


def post(visitor, path, **fields):
    data = {"csrf": csrf(visitor), **fields}
    return visitor.browser.post(f"{visitor.base}/{path}", data=data)


def send(visitor, content=FILE, name="Music.csv", **fields):
    return post(visitor, "frameworks/import", file=(io.BytesIO(content), name), **fields)


def page_of(visitor, answer):
    """The page that an answer leads to, below the visit."""
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].split(visitor.base.rsplit("/", 1)[-1] + "/")[1]


def confirmed(visitor, content=FILE, **fields):
    draft = page_of(visitor, send(visitor, content))
    digest = re.search(r'name="digest" value="([^"]+)"', visitor.get(draft).text)[1]
    return post(visitor, f"{draft}/confirm", digest=digest, **fields)


def stored(stage):
    with reading(stage.container.engine) as connection:
        return competencies_of(connection, stage.tenants["A"])


def frameworks(stage, tenant="A"):
    with reading(stage.container.engine) as connection:
        return all_frameworks(connection, stage.tenants[tenant])


def changes(stage):
    with reading(stage.container.engine) as connection:
        return changes_of(connection, stage.tenants["A"])


def test_a_file_is_looked_at_before_anything_changes(stage, office):
    before = stored(stage)

    draft = page_of(office, send(office))
    text = office.text(draft)

    assert "A new framework: Music" in text
    assert "In the file 3 Added 3 Changed 0 Archived 0" in text
    assert '"know" cannot be demonstrated' in html.unescape(text)
    assert "&lt;b&gt;" in office.get(draft).text
    assert stored(stage) == before


def test_what_was_looked_at_is_brought_in_with_a_reason(stage, office):
    done = confirmed(office, reason="The music teachers asked for it.")

    text = office.text(page_of(office, done))
    assert [one.code for one in stored(stage)][-3:] == ["M", "M.1", "M.2"]
    assert "Music.csv" in text
    assert "“know” cannot be demonstrated" in text
    (change,) = changes(stage)
    assert change.reason == "The music teachers asked for it."
    assert change.by


def test_the_same_file_again_would_change_nothing_and_says_so(office):
    confirmed(office)

    draft = page_of(office, send(office))

    assert "All of it is there already" in office.text(draft)
    assert "Bring it in" not in office.text(draft)


def test_a_new_file_shows_before_and_after_and_whom_a_removal_concerns(stage, office):
    framework = next(one for one in frameworks(stage) if one.identifier == "f")
    content = (
        b"code,statement,parent\nN,Statement of N,\nN.1,Another <i>,N\nZ.9,Statement of Z.9,\n"
    )

    sent = send(office, content, target=str(framework.id))
    text = office.text(page_of(office, sent))

    assert "Brings F up to date" in text
    assert "N.1 Statement Statement of N.1 Another" in text
    assert re.search(r"L\.1 Statement of L\.1 1 1", text)


def test_wrong_rows_are_told_and_the_rest_comes_when_that_is_chosen(stage, office):
    content = FILE + b"M.3,,M\n"
    refused = confirmed(office, content)

    done = confirmed(office, content, partly="yes")

    assert refused.status_code == 422
    assert "Row 5: it has no statement." in refused.text
    assert page_of(office, done)
    assert len(stored(stage)) == 8


def test_columns_are_matched_by_the_person(office):
    draft = page_of(office, send(office, b"A;B;C\nM.1;x;Sings\n"))
    before = office.get(draft)

    post(office, f"{draft}/columns", code="0", statement="2")

    assert before.status_code == 422
    assert "Say which column holds the statement" in before.text
    assert "Added M.1 Sings" in re.sub(r"\s+\d+\s+", " ", office.text(draft))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Choose a file first"),
        (b"\x81\x8d\x00", "The file is no text"),
        (b'a,b\n1,"x', "a quotation mark is opened"),
    ],
)
def test_what_is_no_file_of_a_framework_is_told_by_the_field(office, content, said):
    answer = send(office, content)

    assert answer.status_code == 422
    assert said in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_a_file_that_is_too_large_is_refused(office, monkeypatch):
    monkeypatch.setattr("lti_tool.pages.desk.framework_imports.MOST_BYTES", 10)

    assert "The file is larger than" in send(office).text


def test_a_file_larger_than_any_launch_is_taken(office):
    rows = b"".join(b"C%d,Statement number %d of a long list\n" % (n, n) for n in range(10_000))

    draft = page_of(office, send(office, b"code,statement\n" + rows))

    assert "Added 10000" in office.text(draft)


def test_a_draft_that_became_another_file_is_not_brought_in(stage, office):
    draft = page_of(office, send(office))

    answer = post(office, f"{draft}/confirm", digest="0" * 64)

    assert answer.status_code == 422
    assert "Look at it again" in answer.text
    assert len(stored(stage)) == 5


def test_a_draft_can_be_given_up(office):
    draft = page_of(office, send(office))

    post(office, f"{draft}/drop")

    assert office.get(draft).status_code == 404


def test_a_framework_is_shown_as_a_tree_and_searched(stage, office):
    framework = next(one.id for one in frameworks(stage))

    whole = office.get(f"frameworks/{framework}").text
    found = office.text(f"frameworks/{framework}?q=i+CAN+do")

    assert 'class="d1"' in whole
    assert "1 competency with “i CAN do”" in found
    assert "No competency has" in office.text(f"frameworks/{framework}?q=zzz")


def test_a_framework_goes_out_as_files_that_are_safe(stage, office):
    confirmed(office, b'code,statement\nM,"=1+1"\n')
    framework = frameworks(stage)[-1].id

    csv = office.get(f"frameworks/{framework}/export?form=csv")
    case = office.get(f"frameworks/{framework}/export?form=case")

    assert "'=1+1" in csv.data.decode()
    assert read_table(csv.data).rows[0].cells[2] == "=1+1"
    assert csv.headers["Content-Disposition"] == 'attachment; filename="music.csv"'
    assert case.json["CFItems"][0]["fullStatement"] == "=1+1"


def test_a_framework_is_put_away_and_taken_up_again(stage, office):
    framework = frameworks(stage)[0].id

    post(office, f"frameworks/{framework}/archive", act="archive", reason="Old")
    away = stored(stage)
    listed = (office.text("frameworks"), office.text("frameworks?archived=yes"))
    post(office, f"frameworks/{framework}/archive", act="restore")

    assert away == ()
    assert "All frameworks are archived" in listed[0]
    assert "archived" in listed[1]
    assert len(stored(stage)) == 5
    assert [one.reason for one in changes(stage)] == ["", "Old"]


def test_verbs_are_set_and_heard(office):
    post(office, "frameworks/verbs", **{"verbs-en": "Sings\n\nsings\n"})

    text = html.unescape(office.text(page_of(office, send(office))))

    assert '"sings" cannot be demonstrated' in text
    assert '"know"' not in text
    assert "your district's own list" in html.unescape(office.text("frameworks/verbs"))


def local(stage, office):
    post(office, "frameworks/new", title="Our skills", language="en")
    framework = frameworks(stage)[-1].id
    for code, parent, after in (("A", "", ""), ("A.1", "A", ""), ("A.2", "A", "A.1")):
        known = {one.code: one.identifier for one in stored(stage)}
        done = post(
            office,
            f"frameworks/{framework}/competencies/new",
            code=code,
            statement=f"Shows {code}",
            parent=known.get(parent, ""),
            after=after,
        )
        assert done.status_code == 303, done.text
    return framework


def ours(stage, framework):
    with reading(stage.container.engine) as connection:
        _, found = known_framework(connection, stage.tenants["A"], framework)
    return {row.competency.code: row for row in found.rows.values()}


def test_a_framework_of_ones_own_grows_with_its_progression(stage, office):
    framework = local(stage, office)

    rows = ours(stage, framework)
    page = office.get(f"frameworks/{framework}/competencies/{rows['A.2'].id}").text
    assert list(rows) == ["A", "A.1", "A.2"]
    assert rows["A.1"].competency.parent == rows["A"].competency.identifier
    assert rows["A"].competency.is_strand
    assert 'value="A.1"' in page
    assert {one.subject for one in changes(stage)} >= {"Our skills", "Our skills: A.2"}


def test_a_competency_is_changed_and_the_trail_says_from_what(stage, office):
    framework = local(stage, office)
    row = ours(stage, framework)["A.1"]

    post(
        office,
        f"frameworks/{framework}/competencies/{row.id}",
        code="A.1",
        statement="Builds it",
        parent=row.competency.parent,
        reason="Clearer",
    )

    assert ours(stage, framework)["A.1"].competency.statement == "Builds it"
    change = changes(stage)[0]
    assert (change.before, change.after) == ("A.1: Shows A.1", "A.1: Builds it")
    assert change.reason == "Clearer"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"code": "", "statement": "x"}, "Give it a code"),
        ({"code": "B", "statement": " "}, "Say what a learner is able to do"),
        ({"code": "A.2", "statement": "x"}, "another competency&#39;s"),
        ({"code": "A", "statement": "x", "parent": "own"}, "part of itself"),
        ({"code": "A", "statement": "x", "parent": "gone"}, "not there any more"),
        ({"code": "A", "statement": "x", "after": "A.9"}, "There is no competency A.9"),
        ({"code": "A", "statement": "x", "after": "A"}, "before and after"),
    ],
)
def test_what_cannot_be_is_told_by_the_field_and_kept_as_typed(stage, office, fields, said):
    framework = local(stage, office)
    row = ours(stage, framework)["A"]
    parents = {"own": ours(stage, framework)["A.1"].competency.identifier, "gone": "x"}
    typed = {**fields, "parent": parents.get(fields.get("parent", ""), "")}

    answer = post(office, f"frameworks/{framework}/competencies/{row.id}", **typed)

    assert answer.status_code == 422
    assert said in answer.text
    assert ours(stage, framework)["A"].competency.statement == "Shows A"


def test_a_competency_is_archived_and_comes_back(stage, office):
    framework = local(stage, office)
    rows = ours(stage, framework)
    address = f"frameworks/{framework}/competencies/{rows['A.2'].id}/archive"

    refused = post(office, f"frameworks/{framework}/competencies/{rows['A'].id}/archive")
    post(office, address)
    away = ours(stage, framework)["A.2"].is_archived
    post(office, address)

    assert "It groups 2 others" in refused.text
    assert away
    assert not ours(stage, framework)["A.2"].is_archived


def test_levels_are_worded_in_languages_for_imported_competencies_too(stage, office, ids):
    framework = frameworks(stage)[0].id
    address = f"frameworks/{framework}/competencies/{ids.competency['N.1']}"

    post(office, f"{address}/indicators", language="pt", **{"level-0": "Começo", "level-1": ""})

    with reading(stage.container.engine) as connection:
        found = indicators_of(connection, ids.competency["N.1"])
    assert found == {(0, "pt"): "Começo"}
    assert "Começo" in office.text(f"{address}?language=pt")
    assert "Começo" not in office.text(address)
    assert changes(stage)[0].after == "Começo"


def test_what_was_imported_is_not_edited_here(stage, office, ids):
    framework = frameworks(stage)[0].id
    address = f"frameworks/{framework}/competencies/{ids.competency['N.1']}"

    answers = [
        post(office, address, code="N.1", statement="Mine"),
        post(office, f"{address}/archive"),
        post(office, f"frameworks/{framework}/competencies/new", code="x", statement="y"),
    ]

    assert [one.status_code for one in answers] == [404, 404, 404]
    assert "It was imported" in office.text(address)


def test_a_name_that_is_taken_makes_no_second_framework(office):
    post(office, "frameworks/new", title="Our skills")

    again = post(office, "frameworks/new", title="Our Skills")

    assert again.status_code == 422
    assert "There is one of this name" in again.text
    assert post(office, "frameworks/new", title=" ").status_code == 422


PAGES = ("frameworks", "frameworks/import", "frameworks/new", "frameworks/verbs")


@pytest.mark.parametrize("claims", [TEACHER, GUARDIAN, {}])
@pytest.mark.usefixtures("ids")
def test_frameworks_are_for_administrators(stage, claims):
    visitor = Visitor(stage, **claims)
    paths = (*PAGES, "frameworks/1", "frameworks/1/export?form=csv", "frameworks/drafts/1")

    statuses = {visitor.get(path).status_code for path in paths}
    posted = visitor.browser.post(f"{visitor.base}/frameworks/import", data={"csrf": "x"})

    assert statuses == {403}
    assert posted.status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "frameworks/import",
        "frameworks/verbs",
        "frameworks/new",
        "frameworks/1/archive",
        "frameworks/drafts/1/confirm",
        "frameworks/drafts/1/columns",
        "frameworks/drafts/1/drop",
        "frameworks/1/competencies/new",
        "frameworks/1/competencies/1",
        "frameworks/1/competencies/1/archive",
        "frameworks/1/competencies/1/indicators",
    ],
)
def test_nothing_changes_without_the_pages_own_word(office, path):
    assert office.browser.post(f"{office.base}/{path}", data={}).status_code == 403


def test_another_districts_frameworks_and_drafts_are_not_there(stage, office):
    draft = page_of(office, send(office))
    framework = frameworks(stage)[0].id
    foreign = Visitor(stage, lms=stage.same_issuer, **FOREIGN)

    answers = [
        foreign.get(f"frameworks/{framework}"),
        foreign.get(f"frameworks/{framework}/export?form=csv"),
        foreign.get(f"frameworks/{framework}/competencies/1"),
        foreign.get(draft),
        post(foreign, f"{draft}/confirm", digest="x"),
        post(foreign, f"frameworks/{framework}/archive", act="archive"),
        post(foreign, f"{draft}/drop"),
    ]

    assert [one.status_code for one in answers[:-1]] == [404] * 6
    assert office.get(draft).status_code == 200
    assert frameworks(stage, "B") == ()
