"""Where learners stand now and stood at any moment; what it is computed from."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from mapping.alignment import resolve
from mapping.evidence.tables import View
from mapping.records import CompetencyId, LearnerId, LearnerRef
from mapping.status import Status
from store import alignments, frameworks, gradebook, standings
from store.session import writing
from store.standings import Basis, Standing
from store.tables import standing_changes
from tests.store.places import (
    NOW,
    column,
    course_record,
    enrol,
    keep_standings,
    new_course,
    new_platform,
    new_tenant,
    publish,
    rule,
    set_rule,
)

HOUR = timedelta(hours=1)


def standing(status: Status, estimate: float | None = None, **more) -> Standing:
    return Standing(
        **{"status": status, "estimate": estimate, "evidence_count": 1, "mastered_count": 0, **more}
    )


@pytest.fixture
def basis(db, district):
    return Basis(
        mapping_set=publish(db, district, rule("N.1", line_item="quiz")),
        rule=set_rule(db, district),
        run=None,
    )


@pytest.fixture
def ids(db, district, basis):  # noqa: ARG001 - it publishes the framework
    return {c.code: c.id for c in frameworks.competencies_of(db, district)}


@pytest.fixture
def ada(db, algebra):
    return enrol(db, algebra, "ada")[LearnerRef("ada")]


@pytest.fixture
def place(ada, ids):
    return ada, ids["N.1"], View.TEACHER


def align(db, district, course, items, *rules):
    columns = [column(ref) for ref, criterion in items if criterion is None]
    resolved = resolve(rules, course_record(), columns)
    alignments.save_alignments(db, course, resolved, items=items, tenant=district)


def test_a_standing_is_read_back_as_it_was_kept(db, basis, place):
    kept = standing(Status.DEVELOPING, 2.5, evidence_count=3, mastered_count=1)

    keep_standings(db, {place: (None, kept)}, basis=basis, now=NOW)

    assert standings.standings_of(db, [place[0]]) == {place: kept}


def test_nothing_changed_is_nothing_written(db, basis):
    keep_standings(db, {}, basis=basis, now=NOW)

    assert db.execute(select(standing_changes)).all() == []


def test_each_change_is_kept_with_what_it_was_before_and_was_computed_with(db, basis, place):
    first, second = standing(Status.EMERGING, 1.0), standing(Status.MASTERED, 3.0)
    keep_standings(db, {place: (None, first)}, basis=basis, now=NOW)
    keep_standings(db, {place: (first, second)}, basis=basis, now=NOW + HOUR)

    rows = db.execute(select(standing_changes).order_by(standing_changes.c.id)).all()
    assert [(row.previous_status, row.status, row.at) for row in rows] == [
        (None, Status.EMERGING, NOW),
        (Status.EMERGING, Status.MASTERED, NOW + HOUR),
    ]
    assert {(row.mapping_set_id, row.mastery_rule_id) for row in rows} == {
        (basis.mapping_set, basis.rule)
    }


@pytest.mark.parametrize(
    ("hours", "stood"),
    [(-1, None), (0, Status.EMERGING), (1, Status.EMERGING), (2, Status.MASTERED), (9, 4)],
)
def test_where_a_learner_stood_at_any_moment_is_known(db, basis, place, hours, stood):
    learner, competency, view = place
    first, second = standing(Status.EMERGING, 1.0), standing(Status.MASTERED, 3.0)
    keep_standings(db, {place: (None, first)}, basis=basis, now=NOW)
    keep_standings(db, {place: (first, second)}, basis=basis, now=NOW + 2 * HOUR)

    found = standings.standings_at(db, learner, view=view, moment=NOW + hours * HOUR)

    assert {key: value.status for key, value in found.items()} == (
        {} if stood is None else {competency: stood}
    )


def test_each_view_has_a_history_of_its_own(db, basis, place):
    keep_standings(db, {place: (None, standing(Status.MASTERED, 3.0))}, basis=basis, now=NOW)

    assert standings.standings_at(db, place[0], view=View.LEARNER, moment=NOW) == {}


def test_a_courses_columns_are_made_for_the_strands_it_speaks_for(db, district, algebra, ids):
    items = gradebook.save_line_items(db, algebra, [column("quiz"), column("test")])
    align(
        db,
        district,
        algebra,
        items,
        rule("N.1", line_item="quiz"),
        rule("N.2", line_item="test"),
        rule("L.1", line_item="test"),
    )

    assert standings.strands_in_course(db, algebra) == (ids["N"], ids["L.1"])
    assert standings.assessed_competencies(db, district) == {ids["N"]: 2, ids["L.1"]: 1}


_changes = st.lists(
    st.tuples(
        st.integers(1, 5), st.sampled_from(Status), st.one_of(st.none(), st.floats(0.0, 4.0))
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=_changes)
def test_the_history_ends_where_the_learner_stands(engine, changes):
    with writing(engine) as connection:
        tenant = new_tenant(connection)
        algebra = new_course(connection, tenant, new_platform(connection, tenant))
        basis = Basis(
            mapping_set=publish(connection, tenant), rule=set_rule(connection, tenant), run=None
        )
        learner = LearnerId(enrol(connection, algebra, "ada")[LearnerRef("ada")])
        number = CompetencyId(frameworks.competencies_of(connection, tenant)[0].id)
        place = (learner, number, View.TEACHER)

        moment = NOW
        for hours, status, estimate in changes:
            moment += hours * HOUR
            change = {place: (None, standing(status, estimate))}
            keep_standings(connection, change, basis=basis, now=moment)

        now = standings.standings_of(connection, [learner])
        then = standings.standings_at(connection, learner, view=View.TEACHER, moment=moment)
    assert then[number] == now[place]
