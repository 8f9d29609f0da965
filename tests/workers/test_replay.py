"""From what was recorded come the statuses that were kept, of every moment and in both views."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mapping.evidence.policy import Attempts, EvidencePolicy
from mapping.evidence.tables import View
from mapping.judgement.judging import judge
from mapping.kept import differing
from mapping.records import WHATEVER_IS_LINKED, Attempt, ScoreState
from mapping.rules.clauses import NewestWithin
from mapping.rules.scopes import Scope
from mapping.status import OverrideState, Status
from store import (
    alignments,
    history,
    item_rows,
    judgements,
    rules,
    standing_tables,
    standings,
    tenants,
    waiting,
)
from store.judgements import Exclusion, GivenDate, Override
from store.rules import RulePlace
from store.tables import standing_digests
from store.tables import standings as standing_rows
from tests.conftest import Clock, empty
from tests.contracts.fake import graded
from tests.store.places import keep_standings, new_tenant, publish, rule, score, set_rule
from tests.workers.night import COURSE, new_night
from workers import recompute
from workers.replay import replay

DAY = timedelta(days=1)
ALL_ATTEMPTS = EvidencePolicy(attempts=Attempts.ALL)


def found(night, moment=None):
    return replay(night.engine, night.tenant, moment=moment).differences


def override(night, ref, status, *, days=None, code="N.1"):
    given = Override(
        learner=night.learner(ref),
        competency=night.competency(code),
        status=status,
        reason="Seen in class.",
        author="a teacher",
        given_at=night.clock(),
        until=None if days is None else night.clock() + days * DAY,
    )
    night.write(judgements.give_override, night.tenant, given)


def line_item(night, ref):
    _, keys = night.ask(item_rows.known_line_items, night.course())
    return keys[ref, None]


def exclude(night, ref, item):
    given = Exclusion(
        learner=night.learner(ref),
        line_item=line_item(night, item),
        reason="copied",
        author="a teacher",
        given_at=night.clock(),
    )
    night.write(judgements.exclude, night.tenant, given)


def date(night, ref, item, *, days):
    given = GivenDate(
        learner=night.learner(ref),
        line_item=line_item(night, item),
        occurred_at=night.clock() - days * DAY,
        author="a teacher",
        given_at=night.clock(),
    )
    night.write(judgements.give_date, night.tenant, given)


def set_narrow(night, definition, place):
    night.write(rules.save_rule, night.tenant, definition, now=night.clock(), place=place)


def of_competency(night, code="N.1"):
    return RulePlace(scope=Scope.COMPETENCY, target=night.competency(code))


def of_course(night):
    return RulePlace(scope=Scope.COURSE, target=night.course())


def attempted(*points, **more):
    """A score at the last of several attempts, the others in its history."""
    earlier = tuple(Attempt(number=n, points=one) for n, one in enumerate(points[:-1], 1))
    made = graded("quiz 1", "ada", points[-1])._replace(attempt=len(points), earlier=earlier)
    return made._replace(**more)


def test_a_district_that_was_never_computed_has_nothing_to_replay(night):
    bare = night.write(new_tenant, "Bare")

    assert replay(night.engine, bare).moment is None


def test_a_replay_says_how_much_it_compared_and_what_waits(night):
    night.run()
    night.write(waiting.mark_everybody, night.tenant, now=night.clock())

    replayed = replay(night.engine, night.tenant)

    assert (replayed.standings, replayed.waiting) == (12, 3)
    assert replayed.differences == {}
    assert replayed.moment == night.clock()


def test_a_kept_standing_that_evidence_does_not_give_is_found(night):
    night.run()
    ada, number = night.learner("ada"), night.competency("N.1")
    was = night.standing("ada")
    wrong = {(ada, number, View.TEACHER): (was, replace(was, status=Status.EMERGING))}
    basis = standings.Basis(
        mapping_set=night.ask(alignments.current_mapping, night.tenant),
        rule=night.ask(recompute.current_rule, night.tenant, now=night.clock())[0],
        run=None,
    )
    night.write(keep_standings, wrong, basis=basis, now=night.clock())

    assert found(night) == {
        (ada, number, View.TEACHER): (replace(was, status=Status.EMERGING), was)
    }


def play(night):
    """Six nights with everything that may change a status but people, columns and frameworks."""
    yield
    night.put(attempted(4.0, 6.0))
    night.score("quiz 2", "ada", 2.0)
    yield
    override(night, "bo", Status.MASTERED, days=3)
    exclude(night, "ada", "quiz 2")
    night.put(attempted(4.0, 6.0, 9.0, is_visible=False))
    yield
    night.write(set_rule, night.tenant, now=night.clock(), policy=ALL_ATTEMPTS, recheck_days=2)
    date(night, "bo", "quiz 1", days=40)
    yield
    set_narrow(night, {"mastered": 3.5}, of_competency(night))
    night.put(attempted(5.0, 6.0, 9.0, state=ScoreState.EXCUSED, points=None))
    yield
    set_narrow(night, {"minimum_evidence": 2}, of_course(night))
    night.score("quiz 2", "bo", 10.0)
    yield
    set_narrow(night, {}, of_competency(night))
    place = {"learner": night.learner("bo"), "competency": night.competency("N.1")}
    options = {**place, "author": "a teacher", "now": night.clock()}
    night.write(judgements.revoke_override, night.tenant, **options)
    yield


def test_every_past_night_replays_to_what_was_kept_of_it_and_now_to_what_is_kept_now(night):
    moments, kept = [], []
    for _ in play(night):
        night.run()
        moments.append(night.clock())
        kept.append(whole(night))
        night.clock.advance(hours=1)

    assert [found(night, moment) for moment in moments] == [{}] * len(moments)
    assert [stored_at(night, moment) for moment in moments] == kept
    assert found(night) == {}
    assert len({str(sorted(map(str, one.items()))) for one in kept}) == len(kept)


def test_a_past_moment_can_be_judged_by_the_rules_of_today(night):
    night.run()
    then = night.clock()
    night.write(set_rule, night.tenant, now=night.clock() + DAY, mastered=4.0)
    night.score("quiz 1", "ada", 1.0)
    night.run()
    night.clock.advance(hours=48)
    ada = night.learner("ada")

    statuses = []
    for rules_at in (None, night.clock()):
        with night.engine.connect() as connection:
            grounds = history.grounds_at(
                connection, night.tenant, [ada], moment=then, rules_at=rules_at
            )
        judged = judge(grounds)
        (row,) = np.flatnonzero(judged.competency == night.competency("N.1"))
        statuses.append(judged.status[row])

    assert statuses == [Status.MASTERED, Status.DEVELOPING]


def test_a_moment_before_another_mapping_is_judged_by_the_mapping_of_then(night):
    night.run()
    then = night.clock()
    night.write(publish, night.tenant, rule("N.2", line_item="quiz*"), now=then + DAY)
    night.run()

    assert found(night, then) == {}
    assert found(night) == {}
    assert night.standing("ada").evidence_count == 0


def test_a_mapping_of_then_went_by_links_and_steps_then(night):
    linked = rule(WHATEVER_IS_LINKED, steps=(50, 80))
    night.book.columns[COURSE] = [
        replace(one, links=(("n2",),)) for one in night.book.columns[COURSE]
    ]
    night.write(publish, night.tenant, linked, now=night.clock())
    night.run()
    then = night.clock()
    stood = night.standing("ada", "N.2")
    night.write(publish, night.tenant, rule("N.1", line_item="quiz*"), now=then + DAY)
    night.run()

    assert stood.evidence_count > 0
    assert found(night, then) == {}


def test_before_anything_was_published_there_is_nothing(night):
    night.run()

    before_everything = night.clock() - 400 * DAY

    assert replay(night.engine, night.tenant, moment=before_everything).standings == 0


def test_a_re_check_falls_due_by_time_alone(night):
    night.write(set_rule, night.tenant, now=night.clock(), recheck_days=3)
    night.put(graded("quiz 1", "ada", 9.0)._replace(submitted_at=night.clock()))
    night.run()
    before = night.standing("ada")

    for _ in range(4):
        night.run()

    after = night.standing("ada")
    assert (before.status, after.status) == (Status.MASTERED, Status.RECHECK_DUE)
    assert after.mastered_at == before.mastered_at
    assert found(night) == {}


def test_evidence_grown_old_is_an_invitation_and_no_demotion(night):
    within = NewestWithin(days=3)
    night.write(set_rule, night.tenant, now=night.clock(), criteria=within)
    night.put(graded("quiz 1", "ada", 9.0)._replace(submitted_at=night.clock()))
    night.run()
    first = night.standing("ada").status

    for _ in range(4):
        night.run()

    assert (first, night.standing("ada").status) == (Status.MASTERED, Status.RECHECK_DUE)


def test_an_override_ends_by_time_alone(night):
    night.run()
    override(night, "bo", Status.MASTERED, days=2)
    night.run()
    during = night.standing("bo")

    night.run()
    night.run()

    after = night.standing("bo")
    assert (during.status, during.override) == (Status.MASTERED, OverrideState.IN_FORCE)
    assert (after.status, after.override) == (Status.EMERGING, OverrideState.NONE)


def test_a_rule_to_come_holds_from_its_day_on(night):
    night.run()
    note = rules.RuleNote(effective_from=night.clock() + timedelta(hours=36))
    harder = {"mastered": 4.0, "minimum_evidence": 1}
    night.write(rules.save_rule, night.tenant, harder, now=night.clock(), note=note)

    statuses = []
    for _ in range(2):
        night.run()
        statuses.append(night.standing("ada").status)

    assert statuses == [Status.MASTERED, Status.DEVELOPING]
    assert found(night) == {}


def test_who_comes_into_a_course_stands_by_its_rule_from_then_on(night):
    night.run()
    set_narrow(night, {"minimum_evidence": 2}, of_course(night))
    people = night.book.people[COURSE]
    night.book.people[COURSE] = [one for one in people if one.person.ref != "ada"]
    night.run()
    outside = night.standing("ada")
    night.book.people[COURSE] = people

    night.run()

    assert outside.status is Status.MASTERED
    assert night.standing("ada").status is Status.INSUFFICIENT


def whole(night):
    """Everything that is kept of where learners stand."""
    everybody = night.ask(tenants.all_learners, night.tenant)
    return told(night.ask(standings.standings_of, everybody))


def everything(night):
    everybody = night.ask(tenants.all_learners, night.tenant)
    return night.ask(standing_tables.kept_now, everybody)


def stored_at(night, moment):
    everybody = night.ask(tenants.all_learners, night.tenant)
    kept = night.ask(standing_tables.kept_at, everybody, moment=moment)
    where = zip(kept.learner.tolist(), kept.competency.tolist(), kept.view.tolist(), strict=True)
    return told(dict(zip(where, standing_tables.standing_rows(kept), strict=True)))


def told(found):
    """With estimates as precise as they are compared."""
    return {
        place: replace(one, estimate=None if one.estimate is None else round(one.estimate, 6))
        for place, one in found.items()
    }


_CELLS = st.tuples(st.sampled_from(["quiz 1", "quiz 2", "test"]), st.sampled_from(["ada", "bo"]))
_SAID = st.one_of(
    st.builds(
        lambda cell, points, number, shown: graded(*cell, points)._replace(
            attempt=number, is_visible=shown
        ),
        _CELLS,
        st.sampled_from([0.0, 4.0, 7.5, 10.0]),
        st.integers(0, 3),
        st.booleans(),
    ),
    st.builds(
        lambda cell, state: score(*cell, state=state),
        _CELLS,
        st.sampled_from([ScoreState.MISSING, ScoreState.EXCUSED, ScoreState.CLEARED]),
    ),
)
_NIGHTS = st.lists(st.lists(_SAID, min_size=1, max_size=4), min_size=2, max_size=4)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    nights=_NIGHTS, attempts=st.sampled_from(Attempts), most_dirty=st.sampled_from([0.0, 0.4, 1.0])
)
def test_what_changed_alone_computed_gives_what_everything_computed_gives(
    sqlite_engine, nights, attempts, most_dirty
):
    night = new_night(sqlite_engine, Clock())
    mapping = (rule("N.1", line_item="quiz*"), rule("N.2", line_item="test"), rule("L.1"))
    night.write(publish, night.tenant, *mapping, now=night.clock())
    policy = EvidencePolicy(attempts=attempts)
    night.write(set_rule, night.tenant, now=night.clock(), policy=policy, recheck_days=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recompute, "_MOST_DIRTY", most_dirty)
        for said in nights:
            for one in said:
                night.put(one)
            night.run()
    bit_by_bit, replayed = everything(night), found(night)
    night.write(lambda c: c.execute(standing_rows.delete()))
    night.write(lambda c: c.execute(standing_digests.delete()))
    night.write(waiting.mark_everybody, night.tenant, now=night.clock())

    night.clock.advance(hours=-24)
    night.run()

    differences = differing(bit_by_bit, everything(night))
    empty(sqlite_engine)
    assert replayed == {}
    assert len(differences) == 0
