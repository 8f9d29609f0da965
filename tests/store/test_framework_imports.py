"""What bringing a framework in would change, did change, and what is kept of it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select

from mapping.demonstrability import VAGUE_VERBS
from mapping.records import (
    WHATEVER_IS_LINKED,
    Competency,
    CompetencyLink,
    EvidenceKind,
    LinkKind,
)
from store import framework_drafts, gradebook, indicators
from store.alignments import publish_mapping
from store.framework_diffs import framework_diff
from store.framework_imports import Brought, bring_in, digest_of, versions_of
from store.framework_shelf import (
    all_frameworks,
    archive_framework,
    concerned,
    framework_of,
    known_framework,
    restore_framework,
)
from store.frameworks import competencies_of, save_framework
from store.policy_changes import changes_of
from store.session import upsert
from store.tables import (
    alignments,
    learners,
    line_items,
    recompute_queue,
    standings,
)
from store.tables import framework_drafts as drafts_table
from store.vague_verbs import set_verbs, verbs_of
from tests.store.places import BY, FRAMEWORK, NOW, column, new_tenant, rule

BROUGHT = Brought(source="math.csv", form="csv", report={"skipped": ["Row 3: no."]})


@pytest.fixture
def bring(db, district):
    def bring(found=FRAMEWORK, tenant=district):
        return bring_in(db, tenant, found, brought=BROUGHT, author=BY)

    return bring


def only(db, district):
    (found,) = all_frameworks(db, district)
    return found


def edited(**changes):
    """The framework with some competencies other; None leaves one out."""
    return replace(
        FRAMEWORK,
        competencies=tuple(
            replace(one, **changes.get(one.identifier, {}))
            for one in FRAMEWORK.competencies
            if changes.get(one.identifier, {}) is not None
        ),
    )


def test_a_difference_tells_what_was_and_writes_nothing(db, district, bring):
    bring()
    other = edited(n1={"statement": "Tally", "parent": None}, l1=None)
    more = Competency(identifier="x", code="X", statement="New", position=9)

    diff = framework_diff(
        db, district, replace(other, title="T", competencies=(*other.competencies, more))
    )

    (changed,) = diff.changed
    assert changed.fields == {"statement": "Count", "parent": "n"}
    assert [one.code for one in diff.added] == ["X"]
    assert [row.competency.code for row in diff.archived] == ["L.1"]
    assert diff.details == {"title": "Mathematics"}
    assert diff.is_restructured
    assert len(competencies_of(db, district)) == 4


def test_a_framework_brought_in_again_writes_nothing_and_is_no_version(db, district, bring):
    first = bring()
    db.execute(recompute_queue.delete())

    again = bring()

    assert (first.added, again.added, again.changed) == (4, 0, 0)
    assert framework_diff(db, district, FRAMEWORK).is_nothing
    assert len(versions_of(db, only(db, district).id)) == 1
    assert len(changes_of(db, district)) == 1
    assert db.execute(select(func.count()).select_from(recompute_queue)).scalar() == 0


def test_each_version_is_kept_with_who_brought_it_and_what_was_left_out(db, district, bring):
    bring()
    bring(edited(n1={"statement": "Tally"}, l1=None))
    bring()

    newest, middle, first = versions_of(db, only(db, district).id)
    assert [one.number for one in (newest, middle, first)] == [3, 2, 1]
    assert (middle.changed, middle.archived) == (1, 1)
    assert (newest.changed, newest.restored) == (1, 1)
    assert (first.by, first.source, first.at) == (BY.by, "math.csv", BY.at)
    assert first.report == {"skipped": ["Row 3: no."]}
    assert newest.digest == first.digest == digest_of(FRAMEWORK) != middle.digest


def test_the_trail_says_what_came_of_it(db, district, bring):
    bring()
    bring(edited(l1=None))

    newest, first = changes_of(db, district)
    assert (first.subject, first.before) == ("Mathematics", "")
    assert first.after == "4 competencies: 4 added, 0 changed, 0 archived, 0 restored"
    assert newest.before == "4 competencies"
    assert newest.after == "3 competencies: 0 added, 0 changed, 1 archived, 0 restored"


def test_an_item_put_in_between_moves_others_without_changing_them(db, district, bring):
    bring()
    shifted = [replace(one, position=one.position + 1) for one in FRAMEWORK.competencies]
    first = Competency(identifier="z", code="Z", statement="First")

    saved = bring(replace(FRAMEWORK, competencies=(first, *shifted)))

    assert (saved.added, saved.changed) == (1, 0)
    assert next(iter(competencies_of(db, district))).code == "Z"


def test_links_come_and_go(db, district, bring):
    link = CompetencyLink(origin="n1", kind=LinkKind.PRECEDES, destination="n2")
    bring()
    linked = replace(FRAMEWORK, links=(link,))

    diff = framework_diff(db, district, linked)
    bring(linked)

    assert diff.links_added == {link}
    assert framework_diff(db, district, FRAMEWORK).links_removed == {link}
    assert framework_diff(db, district, linked).is_nothing


def test_a_code_that_moves_on_while_its_bearer_is_called_so_itself_is_no_hindrance(db, district):
    old = Competency(identifier="A", code="A", statement="Old")
    save_framework(db, district, replace(FRAMEWORK, competencies=(old,)))
    new = Competency(identifier="B", code="A", statement="New")

    save_framework(db, district, replace(FRAMEWORK, competencies=(new,)))

    assert [(one.identifier, one.code) for one in competencies_of(db, district)] == [("B", "A")]


def test_what_is_stored_comes_out_as_it_went_in(db, district, bring):
    link = CompetencyLink(origin="n1", kind=LinkKind.PRECEDES, destination="n2")
    bring(replace(FRAMEWORK, links=(link,)))

    _, stored = known_framework(db, district, only(db, district).id)

    assert framework_of(stored, "F") == replace(FRAMEWORK, links=(link,))


def test_an_archived_framework_comes_back_as_it_was(db, district, bring):
    bring()
    bring(edited(l1=None))

    archive_framework(db, district, only(db, district), author=BY)
    put_away = (competencies_of(db, district), only(db, district))
    restore_framework(db, district, only(db, district), author=BY)

    assert put_away[0] == ()
    assert put_away[1].archived_at == BY.at
    assert [one.code for one in competencies_of(db, district)] == ["N", "N.1", "N.2"]
    assert only(db, district).archived_at is None
    assert {c.after for c in changes_of(db, district)} >= {"archived", "in use"}


def test_bringing_an_archived_framework_in_takes_it_up_again(db, district, bring):
    bring()
    archive_framework(db, district, only(db, district), author=BY)

    saved = bring()

    assert saved.restored == 4
    assert only(db, district).archived_at is None


def test_archiving_twice_is_archiving_once(db, district, bring):
    bring()
    listed = only(db, district)
    archive_framework(db, district, listed, author=BY)

    archive_framework(db, district, only(db, district), author=BY)

    assert [c.after for c in changes_of(db, district)].count("archived") == 1


def test_a_list_counts_what_is_there_and_what_is_archived(db, district, bring):
    bring()
    bring(edited(l1=None))

    listed = only(db, district)

    assert (listed.present, listed.archived, listed.versions) == (3, 1, 2)
    assert listed.changed_at == BY.at


def test_another_tenants_framework_is_not_known(db, district, bring):
    other = new_tenant(db, "Another")
    bring(tenant=other)

    assert all_frameworks(db, district) == ()
    assert known_framework(db, district, only(db, other).id) is None


def test_whom_a_removal_concerns_is_counted(db, district, bring, algebra):
    bring()
    ids = {one.code: one.id for one in competencies_of(db, district)}
    for learner in (1, 2):
        db.execute(
            learners.insert().values(id=learner, tenant_id=district, name="A", sort_name="A")
        )
        for view in (0, 1):
            db.execute(
                standings.insert().values(
                    learner_id=learner,
                    competency_id=ids["N.1"],
                    view=view,
                    status=1,
                    evidence_count=1,
                    mastered_count=0,
                    changed_at=NOW,
                )
            )
    item = db.execute(
        line_items.insert().values(
            course_id=algebra,
            ref="q",
            title="Q",
            category="",
            grading="points",
            minimum=0.0,
            maximum=1.0,
            is_published=True,
            is_removed=False,
        )
    ).inserted_primary_key[0]
    row = {
        "line_item_id": item,
        "competency_id": ids["N.1"],
        "weight": 1.0,
        "kind": EvidenceKind.SKILL.value,
    }
    upsert(db, alignments, [row], keys=("line_item_id", "competency_id"))

    found = concerned(db, list(ids.values()))

    assert {one: (c.learners, c.alignments) for one, c in found.items()} == {ids["N.1"]: (2, 1)}


def test_many_competencies_are_saved_in_few_statements(db, district):
    many = tuple(
        Competency(
            identifier=f"i{number}",
            code=f"c{number}",
            statement="Says",
            position=number,
            parent=None if number < 200 else f"i{number % 200}",
        )
        for number in range(2_000)
    )
    found = replace(FRAMEWORK, identifier="big", competencies=many)
    statements = []
    event.listen(db.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))

    saved = save_framework(db, district, found)
    gone = save_framework(db, district, replace(found, competencies=many[:100]))

    assert (saved.added, gone.archived) == (2_000, 1_900)
    assert 2 < len(statements) < 60


def test_a_draft_is_kept_a_day_for_its_own_tenant(db, district):
    def keep(now):
        return framework_drafts.keep_draft(
            db,
            district,
            name="a.csv",
            content=b"\x00\xff",
            choices={"form": "csv"},
            by="Ada",
            now=now,
        )

    keep(NOW)
    second = keep(NOW + timedelta(days=1, seconds=1))
    framework_drafts.choose(db, second, {"form": "case"})

    assert db.execute(select(func.count()).select_from(drafts_table)).scalar() == 1
    found = framework_drafts.draft_of(db, district, second)
    assert (found.content, found.choices) == (b"\x00\xff", {"form": "case"})
    assert framework_drafts.draft_of(db, new_tenant(db, "Another"), second) is None
    framework_drafts.drop_draft(db, district, second)
    assert framework_drafts.draft_of(db, district, second) is None


def test_a_districts_own_verbs_take_the_place_of_the_usual_ones_and_can_be_given_up(db, district):
    set_verbs(db, district, {"en": ["explore"], "pt": VAGUE_VERBS["pt"]}, author=BY)
    own = verbs_of(db, district)

    set_verbs(db, district, {"en": VAGUE_VERBS["en"]}, author=BY)

    assert own["en"] == ("explore",)
    assert own["pt"] == VAGUE_VERBS["pt"]
    assert verbs_of(db, district) == VAGUE_VERBS
    assert len(changes_of(db, district)) == 2


def test_indicators_are_set_by_level_and_language(db, district, bring):
    bring()
    one = competencies_of(db, district)[1].id
    indicators.set_indicators(db, one, {(0, "en"): "I begin", (3, "pt"): "Eu domino"})

    before = indicators.set_indicators(
        db, one, {(0, "en"): "", (3, "pt"): "Eu domino", (1, "en"): ""}
    )

    assert before == {(0, "en"): "I begin"}
    assert indicators.indicators_of(db, one) == {(3, "pt"): "Eu domino"}


def test_work_linked_in_the_lms_speaks_for_a_competency_as_soon_as_it_is_there(
    db, district, algebra, bring
):
    bring()
    work = replace(column("quiz"), links=(("later", "Later"),))
    gradebook.save_line_items(db, algebra, [work])
    publish_mapping(db, district, [rule(WHATEVER_IS_LINKED)], now=NOW)
    more = Competency(identifier="later", code="X", statement="New", position=9)
    count = select(func.count()).select_from(alignments)
    before = db.execute(count).scalar()

    bring(replace(FRAMEWORK, competencies=(*FRAMEWORK.competencies, more)))
    after = db.execute(count).scalar()
    bring()

    assert (before, after, db.execute(count).scalar()) == (0, 1, 0)
