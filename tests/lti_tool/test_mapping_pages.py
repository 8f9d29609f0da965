"""Mapping sets at the desk: drafted, tried, looked over, published and rolled back."""

import io
import re
from urllib.parse import urlencode

import pytest
from sqlalchemy import select, update

from mapping.lms_links import links_as_text
from mapping.records import EvidenceKind, MappingRule
from mapping.steps import passed_from
from store import mapping_drafts, mapping_publishing
from store.alignments import rules_in_force
from store.policy_changes import changes_of
from store.session import reading, writing
from store.tables import alignments, competencies, line_items
from tests.lti_tool.classroom import ADMINISTRATOR, TEACHER, fill
from tests.lti_tool.stage import START
from tests.lti_tool.test_pages import Visitor

QUIZ = {"competency": "N.1", "line_item": "quiz*", "weight": "2", "kind": "recall", "act": "save"}
PATHS = ("mappings", "mappings/{draft}", "mappings/{draft}/publish", "mappings/{draft}/coverage")
OTHER = {**ADMINISTRATOR, "sub": "another-administrator"}


@pytest.fixture
def ids(stage):
    return fill(stage)


@pytest.fixture
def office(stage, ids):
    """An administrator with an empty draft."""
    assert ids
    visitor = Visitor(stage, **ADMINISTRATOR)
    done = post(visitor, "mappings/new", page="mappings", title="Spring", source="empty")
    assert done.status_code == 303
    visitor.draft = int(done.headers["Location"].rsplit("/", 1)[1])
    return visitor


def post(visitor, path, *, page, **fields):
    text = visitor.get(page).text
    csrf = re.search(r'name="csrf" value="([^"]+)"', text)[1]
    return visitor.browser.post(f"{visitor.base}/{path}", data={"csrf": csrf, **fields})


def send(office, path, **fields):
    """To the draft, from its page."""
    page = f"mappings/{office.draft}"
    return post(office, f"{page}/{path}", page=page, **fields)


def publish(visitor, draft, **fields):
    page = f"mappings/{draft}/publish"
    seen = re.search(r'name="seen" value="([^"]+)"', visitor.get(page).text)
    return post(
        visitor, page, page=page, seen=seen[1] if seen else "", **{"reason": "A term.", **fields}
    )


def rules(stage, office):
    with reading(stage.container.engine) as connection:
        return mapping_drafts.rules_in(connection, office.draft)


def in_force(stage):
    with reading(stage.container.engine) as connection:
        return rules_in_force(connection, stage.tenants["A"])


def aligned(stage, ids):
    names = {number: title for title, number in ids.item.items()}
    with reading(stage.container.engine) as connection:
        rows = connection.execute(select(alignments.c.line_item_id, alignments.c.weight))
        return {(names[row[0]], row[1]) for row in rows}


def words(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.text))


def move(office, at, act):
    text = office.get(f"mappings/{office.draft}").text
    mark = re.findall(r'name="is" value="([^"]+)"', text)[at]
    return send(office, "move", at=str(at), act=act, **{"is": mark})


def test_who_has_no_mapping_is_told_what_to_do(stage, ids):
    assert ids

    text = Visitor(stage, **ADMINISTRATOR).text("mappings")

    assert "No mapping set is in force" in text
    assert "Begin a draft" in text


def test_a_rule_is_added_by_the_form_and_shown_in_the_table(stage, office):
    done = send(office, "rules", **QUIZ)

    assert done.status_code == 303
    assert rules(stage, office) == (
        MappingRule(
            framework="f",
            competency="N.1",
            line_item="quiz*",
            weight=2.0,
            kind=EvidenceKind.RECALL,
        ),
    )
    assert "recall, 2" in office.text(f"mappings/{office.draft}")


def test_the_trail_names_who_added_it(stage, office):
    send(office, "rules", **QUIZ)

    with reading(stage.container.engine) as connection:
        newest = changes_of(connection, stage.tenants["A"])[0]
    assert (newest.subject, newest.after) == ("Spring", "N.1: line item quiz* (recall, weight 2)")


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("competency", "", "Choose the competency"),
        ("competency", "X.9", "There is no such competency"),
        ("weight", "0", "the weight &#39;0&#39; is not a number above 0"),
        ("line_item", "", "Without any pattern everything"),
        ("line_item", "x" * 513, "longer than 512"),
        ("kind", "magic", "the kind &#39;magic&#39; is none of"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(stage, office, field, text, told):
    done = send(office, "rules", **{**QUIZ, field: text})

    assert done.status_code == 422
    assert rules(stage, office) == ()
    if field != "kind":
        assert told in done.text
        assert 'value="2"' in done.text or field == "weight"


@pytest.mark.parametrize(
    ("patterns", "told"),
    [
        ({"line_item": "quiz*"}, "Matches 2. 2 of 5 line items"),
        ({"line_item": "nothing"}, "Matches nothing."),
        ({"line_item": "*"}, "Matches everything."),
        ({"line_item": "*", "course": "bio*"}, "Matches 1. 1 of 5"),
        ({"line_item": "*", "course": "bio*"}, "match 1 of 2 courses"),
    ],
)
def test_while_typing_the_page_says_what_the_patterns_match(office, patterns, told):
    query = urlencode(patterns)

    assert told in office.text(f"mappings/{office.draft}/matches?{query}")


def test_the_rule_can_be_tried_without_script(stage, office):
    done = send(office, "rules", **{**QUIZ, "act": "try"})

    assert done.status_code == 200
    assert "✓ Matches 2." in words(done)
    assert 'value="quiz*"' in done.text
    assert rules(stage, office) == ()


def test_competencies_are_found_by_words(office):
    found = office.get(f"mappings/{office.draft}/competencies?competency=statement+n.2").text

    assert re.findall(r'value="([^"]+)"', found) == ["N.2"]


def test_rules_are_moved_changed_and_removed(stage, office):
    for item in ("a*", "b*", "c*"):
        send(office, "rules", **{**QUIZ, "line_item": item})

    move(office, 2, "up")
    move(office, 0, "remove")
    page = office.get(f"mappings/{office.draft}?edit=1").text
    mark = re.findall(r'name="is" value="([^"]+)"', page)[-1]
    send(office, "rules", **{**QUIZ, "line_item": "changed", "at": "1", "is": mark})

    assert [one.line_item for one in rules(stage, office)] == ["c*", "changed"]


def test_a_rule_that_somebody_else_changed_meanwhile_is_left_alone(stage, office):
    send(office, "rules", **QUIZ)

    removed = send(office, "move", at="0", act="remove", **{"is": "0" * 16})
    changed = send(office, "rules", **QUIZ, at="0", **{"is": "0" * 16})

    assert (removed.status_code, changed.status_code) == (409, 409)
    assert "changed this draft meanwhile" in removed.text
    assert len(rules(stage, office)) == 1


@pytest.fixture
def linked(stage, ids):
    """The labs of biology are linked in the LMS, to one competency and to one nobody knows."""
    links = links_as_text((("N.2",), ("Singing",)))
    with writing(stage.container.engine) as connection:
        where = line_items.c.course_id == ids.course["Biology"]
        connection.execute(update(line_items).where(where).values(links=links))


LINKED = {**QUIZ, "speaks": "linked", "framework": "f", "competency": "", "line_item": ""}


def test_a_rule_may_go_by_what_the_lms_links(stage, office, linked):
    assert linked is None
    done = send(office, "rules", **LINKED)
    page = words(office.get(f"mappings/{office.draft}"))
    again = office.get(f"mappings/{office.draft}?edit=0").text
    tried = office.text(f"mappings/{office.draft}/matches?speaks=linked&framework=f&course=bio*")
    covered = words(office.get(f"mappings/{office.draft}/coverage"))

    assert done.status_code == 303
    assert [(one.framework, one.competency) for one in rules(stage, office)] == [("f", "*")]
    assert "Whatever the LMS links it to F" in page
    assert 'value="linked" checked' in again
    assert "linked in the LMS to 1 competency of this framework: N.2." in tried
    assert "1 linked outcome is not in this framework: Singing" in tried
    assert "▲ Singing (1 row)" in covered


def test_links_to_a_framework_that_is_not_there_are_refused_by_the_field(stage, office):
    done = send(office, "rules", **{**LINKED, "framework": "foreign"})

    assert done.status_code == 422
    assert "Choose the framework" in done.text
    assert rules(stage, office) == ()


def test_a_rule_by_links_is_suggested_where_work_is_linked(stage, office, ids, linked):
    assert linked is None
    course = str(ids.course["Biology"])
    page = f"mappings/{office.draft}/suggestions?course={course}"
    path = f"mappings/{office.draft}/suggestions"

    foreign = post(office, path, page=page, course=course, links="g", pattern="")
    done = post(office, path, page=page, course=course, links="f", pattern="Bio*")

    assert (done.status_code, foreign.status_code) == (303, 404)
    assert rules(stage, office) == (MappingRule(framework="f", competency="*", course="Bio*"),)


@pytest.mark.parametrize(
    ("fields", "steps", "told"),
    [
        ({"counts": "pass_or_fail", "pass_from": "65"}, passed_from(65), "passed from 65% on"),
        ({"counts": "levels", "levels_from": "50 80"}, (50, 80), "level 2 from 50%, level 3"),
        ({"pass_from": "65", "levels_from": "x"}, (), "recall, 2"),
    ],
)
def test_how_a_score_counts_is_chosen_kept_and_told(stage, office, fields, steps, told):
    done = send(office, "rules", **QUIZ, **fields)

    assert done.status_code == 303
    assert rules(stage, office)[0].steps == steps
    assert told in words(office.get(f"mappings/{office.draft}"))
    for name in ("pass_from", "levels_from") if steps else ():
        again = office.get(f"mappings/{office.draft}?edit=0").text
        assert name not in fields or f'name="{name}" value="{fields[name]}"' in again


@pytest.mark.parametrize(
    "fields",
    [
        {"counts": "pass_or_fail", "pass_from": ""},
        {"counts": "levels", "levels_from": ""},
        {"counts": "levels", "levels_from": "90 50"},
    ],
)
def test_steps_that_are_none_are_refused_by_their_field(stage, office, fields):
    done = send(office, "rules", **QUIZ, **fields)

    assert done.status_code == 422
    assert 'id="counts-wrong"' in done.text
    assert rules(stage, office) == ()


def test_a_rule_for_a_school_says_so_in_the_table(stage, office):
    done = send(office, "rules", **QUIZ, school="North*")

    assert done.status_code == 303
    assert rules(stage, office)[0].school == "North*"
    assert "of North*" in words(office.get(f"mappings/{office.draft}"))


def upload(office, text, **fields):
    file = (io.BytesIO(text.encode()), "rules.csv")
    page = office.get(f"mappings/{office.draft}").text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)[1]
    return office.browser.post(
        f"{office.base}/mappings/{office.draft}/import",
        data={"csrf": csrf, "file": file, **fields},
        content_type="multipart/form-data",
    )


MIXED = "framework,competency,line_item,weight\nf,N.1,quiz*,1\nf,X.9,a,1\nf,N.2,b,-1\n"


def test_a_file_with_a_wrong_line_is_taken_whole_or_not_at_all(stage, office):
    done = upload(office, MIXED, how="whole")

    assert done.status_code == 422
    assert "Nothing was taken. 2 lines are wrong; 1 is good." in words(done)
    assert "Line 3: there is no competency" in words(done)
    assert "Line 4: the weight" in words(done)
    assert rules(stage, office) == ()


def test_by_choice_the_good_lines_are_taken_and_the_others_told(stage, office):
    done = upload(office, MIXED, how="good")

    assert "1 rule was taken. 2 lines are wrong" in words(done)
    assert [one.line_item for one in rules(stage, office)] == ["quiz*"]


def test_a_file_takes_the_place_of_the_rules_there_are(stage, office):
    send(office, "rules", **QUIZ)

    done = upload(office, "framework,competency,line_item\nf,N.2,b\n", where="instead")

    assert done.status_code == 200
    assert [one.line_item for one in rules(stage, office)] == ["b"]


def test_what_is_no_table_is_told(office):
    assert "The file is empty" in words(upload(office, ""))


def test_a_file_larger_than_a_launch_is_read(stage, office):
    lines = "".join(f"f,N.1,quiz number {n:05} of a long year*\n" for n in range(5_000))

    done = upload(office, "framework,competency,line_item\n" + lines)

    assert done.status_code == 200
    assert len(rules(stage, office)) == 5_000


def test_rules_are_saved_as_a_file_that_comes_back_the_same(stage, office):
    send(office, "rules", **{**QUIZ, "line_item": "=cmd*"})
    before = rules(stage, office)

    saved = office.get(f"mappings/{office.draft}/rules.csv")
    upload(office, saved.data.decode("utf-8-sig"), where="instead")

    assert "'=cmd*" in saved.text
    assert saved.headers["Content-Disposition"].startswith("attachment")
    assert rules(stage, office) == before


def test_what_publishing_would_change_is_shown_and_nothing_done(stage, ids, office):
    send(office, "rules", **QUIZ)
    before = aligned(stage, ids)

    text = office.text(f"mappings/{office.draft}/publish")

    assert "Added 0 alignments" in text
    assert "Removed 3 alignments" in text
    assert "≠ Other weight, kind or reading 2 alignments" in text
    assert "Learners 1 have a score" in text
    assert aligned(stage, ids) == before


def test_publishing_puts_the_draft_in_force_at_once(stage, ids, office):
    send(office, "rules", **QUIZ)
    draft_rules = rules(stage, office)

    done = publish(office, office.draft)

    assert done.status_code == 303
    assert in_force(stage) == draft_rules
    assert aligned(stage, ids) == {("Quiz one", 2.0), ("Quiz two", 2.0)}
    text = office.text("mappings")
    assert "Version 1, Spring" in text
    assert "A term." in text
    assert office.get(f"mappings/{office.draft}").status_code == 404


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"reason": ""}, "Say why"),
        ({"from": "soon"}, "The day is no day"),
        ({"seen": "something else"}, "changed since you looked at it"),
    ],
)
def test_a_publication_that_cannot_be_is_told_and_nothing_done(stage, office, fields, told):
    send(office, "rules", **QUIZ)
    page = f"mappings/{office.draft}/publish"
    seen = re.search(r'name="seen" value="([^"]+)"', office.get(page).text)[1]

    done = post(office, page, page=page, **{"reason": "A term.", "seen": seen, **fields})

    assert done.status_code == 422
    assert told in done.text
    assert in_force(stage) == ()


def test_a_rule_whose_competency_is_gone_stands_in_the_way(stage, office):
    send(office, "rules", **QUIZ)
    with writing(stage.container.engine) as connection:
        gone = competencies.c.code == "N.1"
        connection.execute(update(competencies).where(gone).values(is_archived=True))

    page = office.text(f"mappings/{office.draft}")
    done = publish(office, office.draft)

    assert "This competency is no more" in page
    assert done.status_code == 422
    assert "competencies that are not there" in words(done)


def test_a_day_to_come_has_the_draft_wait(stage, office):
    send(office, "rules", **QUIZ)
    day = START.replace(year=START.year + 1)

    publish(office, office.draft, **{"from": f"{day:%Y-%m-%d}"})

    assert in_force(stage) == ()
    assert "takes force on the first night from" in office.text("mappings")


def test_a_second_person_publishes_where_the_district_wants_one(stage, office):
    post(office, "people/second", page="mappings", second="yes", reason="Four eyes.")
    send(office, "rules", **QUIZ)

    page = office.text(f"mappings/{office.draft}/publish")
    own = post(
        office,
        f"mappings/{office.draft}/publish",
        page="mappings",
        reason="A term.",
        seen=seen_of(stage, office),
    )
    other = publish(Visitor(stage, **OTHER), office.draft)

    assert "wants a second person" in page
    assert own.status_code == 422
    assert other.status_code == 303
    assert len(in_force(stage)) == 1


def seen_of(stage, office):
    with reading(stage.container.engine) as connection:
        return mapping_drafts.draft_digest(connection, office.draft)


def test_a_former_version_is_rolled_back_to_with_a_reason(stage, ids, office):
    send(office, "rules", **QUIZ)
    publish(office, office.draft)
    first = in_force(stage)
    done = post(office, "mappings/new", page="mappings", title="Summer", source="1")
    draft = int(done.headers["Location"].rsplit("/", 1)[1])
    office.draft = draft
    move(office, 0, "remove")
    publish(office, draft)

    silent = post(office, "mappings/rollback", page="mappings", version="1", reason="")
    done = post(office, "mappings/rollback", page="mappings", version="1", reason="A mistake.")

    assert silent.status_code == 422
    assert done.status_code == 303
    assert in_force(stage) == first
    assert aligned(stage, ids) == {("Quiz one", 2.0), ("Quiz two", 2.0)}
    with reading(stage.container.engine) as connection:
        newest = mapping_publishing.versions_of(connection, stage.tenants["A"])[0]
    assert (newest.version, newest.restored, newest.reason) == (3, 1, "A mistake.")


def test_a_draft_is_carried_forward_to_a_new_term(stage, office):
    send(office, "rules", **QUIZ, course="* 2026")
    publish(office, office.draft)

    done = post(
        office, "mappings/new", page="mappings", title="T", source="1", former="2026", new="2027"
    )

    office.draft = int(done.headers["Location"].rsplit("/", 1)[1])
    assert [one.course for one in rules(stage, office)] == ["* 2027"]


def test_a_draft_is_thrown_away(office):
    done = send(office, "discard")

    assert done.status_code == 303
    assert "There is no draft." in office.text("mappings")


def test_coverage_shows_the_matrix_orphans_both_ways_doubles_and_idle_rules(ids, office):
    send(office, "rules", **QUIZ)
    send(office, "rules", **{**QUIZ, "line_item": "quiz one"})
    send(office, "rules", **{**QUIZ, "competency": "N.2", "line_item": "nothing"})

    text = office.text(f"mappings/{office.draft}/coverage?course={ids.course['Mathematics']}")

    assert "2 of 5 speak for something; 3 for nothing" in text
    assert "1 of 4 have work that speaks for them" in text
    assert "▲ rules 1, 2" in text
    assert "● rule 1" in text
    assert "Work that no rule speaks of Hidden quiz Essay" in text
    assert "▲ Rule 3: N.2: line item nothing" in text
    assert "Quiz one (Mathematics & <friends>) for N.1: rules 1, 2".replace(
        "& <friends>", "&amp; &lt;friends&gt;"
    ) in text.replace("  ", " ")


def test_what_is_renamed_or_gone_since_publication_is_told(stage, office):
    send(office, "rules", **QUIZ)
    publish(office, office.draft)
    before = office.text("mappings/coverage")
    with writing(stage.container.engine) as connection:
        for title, change in (
            ("Quiz one", {"title": "Test one"}),
            ("Quiz two", {"is_removed": True}),
        ):
            named = line_items.c.title == title
            connection.execute(update(line_items).where(named).values(**change))

    after = office.text("mappings/coverage")

    assert "Renamed or gone since it was published ✓ None." in before
    assert "Quiz one ≠ Test one" in after
    assert "gone from the LMS" in after


@pytest.mark.parametrize("path", PATHS)
def test_who_is_no_administrator_or_of_another_district_sees_nothing(stage, office, path):
    address = path.format(draft=office.draft)

    assert Visitor(stage, **TEACHER).get(address).status_code == 403
    foreign = Visitor(stage, stage.other_issuer, **ADMINISTRATOR)
    assert foreign.get(address).status_code == (200 if path == "mappings" else 404)
    assert "Begun by" not in foreign.text("mappings")


@pytest.mark.parametrize(
    "path", ["rules", "move", "import", "publish", "discard", "../new", "../rollback"]
)
def test_nothing_is_changed_without_the_pages_own_field(stage, office, path):
    address = f"{office.base}/mappings/{office.draft}/{path}"
    address = re.sub(r"/\d+/\.\.", "", address)

    assert office.browser.post(address, data=QUIZ).status_code == 403
    assert rules(stage, office) == ()


@pytest.mark.parametrize(
    "path", ["mappings/99", "mappings/99/publish", "mappings/versions/9.csv", "mappings/coverage"]
)
def test_what_is_not_there_is_answered_so(office, path):
    assert office.get(path).status_code == 404


def test_unmapped_work_is_shown_with_what_it_is_like(stage, ids, office):
    with writing(stage.container.engine) as connection:
        hers = competencies.c.code == "N.2"
        connection.execute(update(competencies).where(hers).values(statement="Write an essay"))

    text = office.text(f"mappings/{office.draft}/suggestions?course={ids.course['Mathematics']}")

    assert "Essay Write an essay (N.2;" in text
    assert "like “Quiz one”, which speaks for it" in text


def pick(office, ids, *picks, course="Mathematics", **fields):
    page = f"mappings/{office.draft}/suggestions"
    chosen = f"{page}?course={ids.course['Mathematics']}"
    number = ids.course[course]
    return post(office, page, page=chosen, course=number, pick=list(picks), **fields)


def test_suggestions_become_rules_only_where_a_person_chose_them(stage, ids, office):
    chosen = [
        f"{ids.item[item]}:{ids.competency[code]}"
        for item, code in (("Quiz one", "N.1"), ("Essay", "N.2"))
    ]

    nothing = pick(office, ids, pattern="Math*")
    done = pick(office, ids, *chosen, pattern="Math*")

    assert nothing.status_code == 422
    assert done.status_code == 303
    assert [(one.competency, one.course, one.line_item) for one in rules(stage, office)] == [
        ("N.1", "Math*", "Quiz one"),
        ("N.2", "Math*", "Essay"),
    ]
    text = office.text(f"mappings/{office.draft}/suggestions?course={ids.course['Mathematics']}")
    assert "Essay Nothing" not in text


def test_a_course_or_competency_of_another_district_is_not_there(ids, office):
    foreign = pick(office, ids, course="Foreign", pattern="")
    unknown = pick(office, ids, f"{ids.item['Essay']}:999", pattern="")
    page = f"mappings/{office.draft}"

    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert office.get(f"{page}/coverage?course={ids.course['Foreign']}").status_code == 404
    assert office.get(f"{page}/suggestions?course={ids.course['Foreign']}").status_code == 404
