"""A change tried beforehand says what comes of it when it is made."""

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from mapping.effects import NO_SCHOOL
from mapping.evidence.tables import View
from mapping.explanation.trace import trace
from mapping.records import CourseRef, LineItem, LineItemRef, Mode, ScoreState
from mapping.rules.scopes import Scope, ScopedRule
from mapping.status import Status
from mapping.steps import passed_from
from store import frameworks, rules, standing_tables, tenants
from store.grounds import grounds_of
from store.rules import RulePlace
from store.tables import outbox, to_micros
from tests.contracts.fake import FakeGradebook, enrolled, small_gradebook
from tests.store.places import new_tenant, publish, rule, score
from tests.workers.night import new_night
from workers import effects
from workers.effects import Proposed, effect_of

ITEMS = [f"{kind} {number}" for kind in ("quiz", "task") for number in (1, 2, 3)]
PUPILS = [f"pupil {number}" for number in range(14)]
COURSE = CourseRef("c1")
N_BY_QUIZZES = rule("N.1", line_item="quiz*")
N2_BY_TASKS = rule("N.2", line_item="task*")


def gradebook(seed: int) -> FakeGradebook:
    """A class with scores of every kind, some of them hidden."""
    rng = random.Random(seed)
    book = small_gradebook()
    book.columns[COURSE] = [
        LineItem(ref=LineItemRef(ref), title=ref, category="", maximum=10.0) for ref in ITEMS
    ]
    book.people[COURSE] = [enrolled(name) for name in PUPILS]
    book.forget_scores(COURSE)
    for pupil in PUPILS:
        for item in rng.sample(ITEMS, rng.randint(0, 6)):
            state = rng.choice([ScoreState.GRADED] * 5 + [ScoreState.MISSING, ScoreState.EXCUSED])
            points = float(rng.randint(0, 10)) if state is ScoreState.GRADED else None
            is_visible = rng.random() > 0.2
            book.set_score(COURSE, score(item, pupil, points, state=state, is_visible=is_visible))
    return book


def everywhere(night) -> dict[tuple[int, int], Status]:
    """Where everybody stands, as teachers see it."""
    ids = night.ask(tenants.all_learners, night.tenant)
    table = night.ask(standing_tables.kept_now, ids)
    return {
        (learner, competency): Status(status)
        for learner, competency, status, view in zip(
            table.learner.tolist(),
            table.competency.tolist(),
            table.status.tolist(),
            table.view.tolist(),
            strict=True,
        )
        if view == View.TEACHER
    }


def written(night) -> int:
    """How many marks were ever wanted in gradebooks."""
    return len(night.ask(lambda c: c.execute(outbox.select()).all()))


@pytest.fixture(params=[0])
def night(request, engine, clock):
    made = new_night(engine, clock, book=gradebook(request.param))
    made.write(publish, made.tenant, N_BY_QUIZZES, N2_BY_TASKS, now=clock())
    made.run()
    return made


def proposed_rule(night, place, definition):
    return Proposed(
        rule=ScopedRule(
            id=2**62,
            scope=place.scope,
            target=place.target,
            version=2**62,
            effective_from=to_micros(night.clock()),
            definition=definition,
        )
    )


def place_of(night, name):
    return {
        "district": rules.DISTRICT,
        "framework": RulePlace(
            scope=Scope.FRAMEWORK, target=night.ask(frameworks.framework_id, night.tenant, "F")
        ),
        "competency": RulePlace(scope=Scope.COMPETENCY, target=night.competency("N.1")),
        "strand": RulePlace(scope=Scope.COMPETENCY, target=night.competency("N")),
        "course": RulePlace(scope=Scope.COURSE, target=night.course()),
    }[name]


def assert_it_came_so(night, effect, before, marks):
    """Compare what was said with what is kept after the change and a night."""
    after = everywhere(night)
    strand = night.competency("N")
    places = before.keys() | after.keys()
    nowhere = Status.NO_EVIDENCE
    moves = Counter(
        (before.get(place, nowhere), after.get(place, nowhere))
        for place in places
        if place[1] != strand and before.get(place, nowhere) != after.get(place, nowhere)
    )
    assert effect.moves == moves
    turned = {
        place[1] for place in places if before.get(place, nowhere) != after.get(place, nowhere)
    }
    assert set(effect.by_competency) == turned
    for competency, turnout in effect.by_competency.items():
        for told, kept in ((turnout.before, before), (turnout.after, after)):
            assert told == Counter(
                status
                for place, status in kept.items()
                if place[1] == competency and status is not nowhere
            )
    assert written(night) - marks <= effect.marks <= 2 * len(PUPILS)  # of two columns at most


@pytest.mark.parametrize(
    ("place", "definition"),
    [
        ("district", {"minimum_evidence": 1, "mastered": 2.0}),
        ("district", {"minimum_evidence": 2}),
        ("district", {"minimum_evidence": 1, "method": "latest"}),
        ("framework", {"mastered": 3.5}),
        ("competency", {"minimum_evidence": 3}),
        ("competency", {"mastered": 1.0}),
        ("strand", {"mastered": 1.0}),
        ("course", {"method": "highest"}),
        ("course", {"minimum_evidence": 2, "mastered": 2.0}),
    ],
)
def test_a_rule_does_what_was_said(night, place, definition):
    where = place_of(night, place)
    before, marks = everywhere(night), written(night)

    effect = effect_of(
        night.engine, night.tenant, proposed_rule(night, where, definition), now=night.clock()
    )

    assert everywhere(night) == before
    night.write(rules.save_rule, night.tenant, definition, now=night.clock(), place=where)
    night.run()
    assert_it_came_so(night, effect, before, marks)


@pytest.mark.parametrize(
    "mapping",
    [
        (),
        (N_BY_QUIZZES,),
        (rule("N.1"),),
        (rule("N.2", line_item="quiz 1", weight=3.0), N_BY_QUIZZES, N2_BY_TASKS),
        (rule("L.1", line_item="task 2"), N_BY_QUIZZES),
        (rule("N.1", line_item="quiz*", steps=passed_from(60)), N2_BY_TASKS),
    ],
)
def test_a_mapping_does_what_was_said(night, mapping):
    before, marks = everywhere(night), written(night)

    effect = effect_of(night.engine, night.tenant, Proposed(mapping=mapping), now=night.clock())

    assert everywhere(night) == before
    night.write(publish, night.tenant, *mapping, now=night.clock())
    night.run()
    assert_it_came_so(night, effect, before, marks)


def test_what_holds_already_does_nothing(night):
    mapping = (N_BY_QUIZZES, N2_BY_TASKS)

    found = [
        effect_of(night.engine, night.tenant, one, now=night.clock())
        for one in (Proposed(), Proposed(mapping=mapping))
    ]

    for effect in found:
        assert (effect.changed, effect.concerned, effect.marks, effect.examples) == (0, 0, 0, ())
        assert effect.same == len(everywhere(night))
        assert effect.learners == len(PUPILS)


def test_nothing_is_written_to_gradebooks_that_are_not_official(engine, clock):
    night = new_night(engine, clock, book=gradebook(0), mode=Mode.PUBLISHED)
    night.run()
    harder = proposed_rule(night, rules.DISTRICT, {"minimum_evidence": 3})

    effect = effect_of(night.engine, night.tenant, harder, now=night.clock())

    assert effect.moved > 0
    assert effect.marks == 0


def test_a_rule_that_begins_later_is_tried_as_if_it_held(night):
    later = proposed_rule(night, rules.DISTRICT, {"minimum_evidence": 3})
    begins = night.clock() + timedelta(days=30)
    then = Proposed(rule=replace(later.rule, effective_from=to_micros(begins)))

    now, afterwards = (
        effect_of(night.engine, night.tenant, one, now=night.clock()) for one in (later, then)
    )

    assert now.moved > 0
    assert afterwards == now


def test_a_rule_to_come_takes_force_on_the_first_night_from_its_day_on(night):
    before, marks = everywhere(night), written(night)
    definition, begins = {"minimum_evidence": 3}, night.clock() + timedelta(hours=36)
    change = proposed_rule(night, rules.DISTRICT, definition)
    effect = effect_of(night.engine, night.tenant, change, now=night.clock())
    note = rules.RuleNote(effective_from=begins)
    night.write(rules.save_rule, night.tenant, definition, now=night.clock(), note=note)

    night.run()
    waiting = everywhere(night)
    night.run()

    assert waiting == before
    assert effect.moved > 0
    assert_it_came_so(night, effect, before, marks)


@pytest.mark.parametrize("mapping", [None, (rule("L.1", line_item="task 2"), N_BY_QUIZZES)])
def test_the_reasons_for_an_example_give_what_was_told_of_it(night, mapping):
    change = proposed_rule(night, rules.DISTRICT, {"mastered": 1.5})
    if mapping is not None:
        change = Proposed(mapping=mapping)
    now = night.clock()
    effect = effect_of(night.engine, night.tenant, change, now=now)
    policy = night.ask(effects.policy_tried, night.tenant, change, now=now)

    for one in effect.examples:
        grounds = night.ask(grounds_of, policy, [one.learner])
        told = trace(grounds, learner=one.learner, competency=one.competency)
        assert (told.status, told.estimate) == (one.after, one.estimate_after)
    assert effect.examples


def test_schools_are_told_apart(night):
    effect = effect_of(
        night.engine,
        night.tenant,
        proposed_rule(night, rules.DISTRICT, {"minimum_evidence": 3}),
        now=night.clock(),
    )

    (school,) = effect.by_school
    assert school != NO_SCHOOL
    strand = night.competency("N")
    assert effect.by_school[school].before == Counter(
        status
        for (_, competency), status in everywhere(night).items()
        if competency != strand and status is not Status.NO_EVIDENCE
    )


def test_examples_are_few_and_true(night):
    effect = effect_of(
        night.engine,
        night.tenant,
        proposed_rule(night, rules.DISTRICT, {"minimum_evidence": 4}),
        now=night.clock(),
    )

    known = everywhere(night)
    assert 0 < len(effect.examples) <= 25
    assert all(known[one.learner, one.competency] is one.before for one in effect.examples)
    assert all(effect.moves[one.before, one.after] for one in effect.examples)


def test_another_districts_learners_are_not_judged(night, engine):
    with_nobody = night.write(new_tenant, "Another")

    effect = effect_of(engine, with_nobody, Proposed(), now=night.clock())

    assert (effect.learners, effect.same) == (0, 0)


def test_how_far_it_is_can_be_told(night, monkeypatch):
    monkeypatch.setattr(effects, "BATCH", 5)
    told = []

    whole = effect_of(
        night.engine,
        night.tenant,
        Proposed(),
        now=night.clock(),
        tell=lambda done, of: told.append((done, of)),
    )

    assert told == [(5, 14), (10, 14), (14, 14)]
    assert whole.learners == 14
