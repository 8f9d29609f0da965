"""Random little districts: scores, rules, hierarchies, words of persons, and a moment."""

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import numpy as np

from mapping.columns import NO_MOMENT
from mapping.evidence.policy import Attempts, DatePolicy, EvidencePolicy, LatePolicy
from mapping.judgement.grounds import Grounds
from mapping.judgement.overrides import OVERRIDABLE, OverrideTable
from mapping.progressions.graph import Hierarchy
from mapping.records import EvidenceKind, ScoreState
from mapping.rules.clauses import (
    AllOf,
    ChildrenMastered,
    EstimateReaches,
    EvidenceReaches,
    LineItemCounts,
    NewestWithin,
    Situation,
    SituationsReach,
    SomeOf,
)
from mapping.rules.mastery_rule import MasteryRule
from mapping.rules.rulebook import CourseRules, Enrolments, RuleBook
from mapping.rules.scopes import EffectiveRule
from mapping.rules.strands import Rollup, RollupMethod
from mapping.scales import DEFAULT_SCALE, Level, RatingScale
from mapping.steps import packed, passed_from
from tests.mapping.tables import DAY, HOUR, alignment_table, score_table

PARENTS = {0: 10, 1: 10, 2: 4, 3: 4, 4: 20, 10: 20, 5: 30}
"""Competency 4 is a parent with evidence of its own; 20 is a parent of parents."""
LINE_ITEMS_OF = {"*project*": frozenset({1, 4}), "*nothing*": frozenset()}
METHODS = {
    "weighted_average": {},
    "mean": {},
    "latest": {},
    "highest": {},
    "median": {},
    "n_mastery": {"n": 2},
    "decaying_average": {"w": 0.65},
    "recent_n": {"n": 2},
}
MONOTONE = ("weighted_average", "mean", "latest", "highest", "median", "decaying_average")
TWO_LEVELS = RatingScale(
    levels=(
        Level(label="Not yet", points=0.0, symbol="o", cut=0.0),
        Level(label="Met", points=10.0, symbol="x", cut=0.7),
    )
)
FIVE_LEVELS = RatingScale(
    levels=tuple(
        Level(label=f"Level {number}", points=float(number), symbol=str(number), cut=number / 5)
        for number in range(5)
    )
)


@dataclass
class World:
    """What there is, as plain rows; ``grounds`` makes columns of it."""

    scores: list[dict[str, Any]]
    alignments: list[dict[str, Any]]
    rules: list[MasteryRule]
    rule_of_competency: dict[int, int]
    rule_of_course: dict[tuple[int, int], int] = field(default_factory=dict)
    enrolments: list[tuple[int, int]] = field(default_factory=list)
    overrides: list[dict[str, int]] = field(default_factory=list)
    at: int | None = None

    def rule_of(self, learner, competency):
        courses = [
            course
            for course in sorted({course for who, course in self.enrolments if who == learner})
            if (course, competency) in self.rule_of_course
        ]
        if courses:
            return self.rule_of_course[courses[-1], competency]
        return self.rule_of_competency.get(competency, 0)

    def grounds(self) -> Grounds:
        said = self.overrides
        names = ("learner", "competency", "status", "given_at", "until")
        return Grounds(
            scores=score_table(*self.scores),
            alignments=alignment_table(*self.alignments),
            book=self.book(),
            hierarchy=Hierarchy.of(PARENTS.items()),
            enrolments=Enrolments(
                learner=np.array([who for who, _ in self.enrolments], dtype=np.int64),
                course=np.array([course for _, course in self.enrolments], dtype=np.int64),
            ),
            overrides=OverrideTable.of({name: [row[name] for row in said] for name in names}),
            line_items_of=LINE_ITEMS_OF,
            at=self.at,
        )

    def book(self) -> RuleBook:
        own = sorted(self.rule_of_competency.items())
        return RuleBook(
            rules=tuple(EffectiveRule(rule=rule, chain=(), origin={}) for rule in self.rules),
            competency=np.array([competency for competency, _ in own], dtype=np.int64),
            rule=np.array([rule for _, rule in own], dtype=np.int64),
            courses=CourseRules.of(
                (course, competency, rule, course)
                for (course, competency), rule in self.rule_of_course.items()
            ),
        )

    def of_learner(self, learner) -> "World":
        return replace(self, scores=[row for row in self.scores if row["learner"] == learner])


def world(seed: int, *, learners: int = 12) -> World:
    """A world of its own for each seed."""
    random = Random(seed)
    rules = [rule(random) for _ in range(random.randint(1, 3))]
    competencies = [*range(6), 10, 20, 30]
    return World(
        scores=[row for who in range(learners) for row in scores_of(random, who)],
        alignments=[
            row for item in range(10) for row in _alignments(random, item, random.randint(0, 4))
        ],
        rules=rules,
        rule_of_competency={
            competency: random.randrange(len(rules))
            for competency in competencies
            if random.random() < 0.5
        },
        rule_of_course={
            (course, competency): random.randrange(len(rules))
            for course in range(2)
            for competency in competencies
            if random.random() < 0.2
        },
        enrolments=[
            (who, course) for who in range(learners) for course in range(2) if random.random() < 0.4
        ],
        overrides=[
            _override(random, who, competency)
            for who in range(learners)
            for competency in competencies
            if random.random() < 0.08
        ],
        at=None if random.random() < 0.15 else random.randint(20, 90) * DAY,
    )


def scores_of(random: Random, learner: int) -> list[dict[str, Any]]:
    """A row for each attempt of a learner at some line items."""
    return [
        score(random, learner, item, attempt)
        for item in range(10)
        if random.random() < 0.75
        for attempt in range(1, 1 + random.choice((1, 1, 1, 2, 3)))
    ]


def score(random: Random, learner: int, item: int, attempt: int = 1) -> dict[str, Any]:
    """One attempt."""
    maximum = random.choice((100.0, 100.0, 4.0))
    share = random.choice((0.5, 0.7, 0.75, 0.8, 0.875, 1.0, 1.2, random.random()))
    states = [ScoreState.GRADED] * 12 + list(ScoreState)
    return {
        "line_item": item,
        "learner": learner,
        "state": random.choice(states),
        "points": None if random.random() < 0.03 else share * maximum,
        "minimum": 0.0,
        "maximum": maximum,
        "attempt": attempt,
        "is_visible": random.random() < 0.9,
        "is_late": random.random() < 0.1,
        "submitted_at": _moment(random),
        "due_at": _moment(random),
        "graded_at": _moment(random),
        "course": item % 3,
        "points_deducted": random.choice((0.0, 0.0, 0.1 * maximum)),
        "given_at": _moment(random) if random.random() < 0.1 else NO_MOMENT,
        "is_excluded": random.random() < 0.05,
        "is_removed": random.random() < 0.05,
    }


def _moment(random: Random) -> int:
    return NO_MOMENT if random.random() < 0.2 else random.randint(0, 60) * DAY + 5 * HOUR


_STEPS = (0, 0, 0, packed((50, 70, 90)), packed(passed_from(60)))


def _alignments(random: Random, item: int, count: int) -> list[dict[str, Any]]:
    return [
        {
            "line_item": item,
            "competency": competency,
            "weight": random.choice((1.0, 1.0, 1.0, 2.0, 0.5, 0.0)),
            "kind": random.randrange(4),
            "steps": _STEPS[(item + competency) % len(_STEPS)],
        }
        for competency in random.sample(range(6), count)
    ]


def _override(random: Random, learner: int, competency: int) -> dict[str, int]:
    return {
        "learner": learner,
        "competency": competency,
        "status": random.choice(OVERRIDABLE),
        "given_at": random.randint(0, 90) * DAY,
        "until": NO_MOMENT if random.random() < 0.5 else random.randint(0, 120) * DAY,
    }


def rule(random: Random) -> MasteryRule:
    """Any rule but one that nobody could meet."""
    scale = random.choice((DEFAULT_SCALE, DEFAULT_SCALE, TWO_LEVELS, FIVE_LEVELS))
    cuts = [level.cut * scale.top for level in scale.levels[1:]]
    mastered = random.choice((*cuts, 0.6 * scale.top, scale.top))
    method = random.choice(list(METHODS))
    return MasteryRule(
        method=method,
        parameters=METHODS[method],
        mastered=mastered,
        minimum_evidence=random.randint(1, 3),
        scale=scale,
        criteria=None if random.random() < 0.4 else _tree(random, mastered),
        policy=_policy(random),
        recheck_days=random.choice((None, None, 5, 20, 60)),
        rollup=_rollup(random),
    )


def _policy(random: Random) -> EvidencePolicy:
    if random.random() < 0.4:
        return EvidencePolicy()
    return EvidencePolicy(
        dated=random.choice(list(DatePolicy)),
        attempts=random.choice(list(Attempts)),
        cooldown_hours=random.choice((0.0, 48.0)),
        late=random.choice(list(LatePolicy)),
        kind_weights={random.choice(list(EvidenceKind)): random.choice((0.0, 2.5))},
        drop_lowest_from=random.choice((0, 3)),
        keeps_removed=random.random() < 0.5,
    )


def _rollup(random: Random) -> Rollup:
    return Rollup(
        method=random.choice(
            (
                RollupMethod.ALL_WITH_EVIDENCE,
                RollupMethod.ALL_CHILDREN,
                RollupMethod.MEAN,
                RollupMethod.LOWEST,
            )
        )
    )


def _tree(random: Random, mastered: float, depth: int = 0):
    if depth < 2 and random.random() < 0.5:
        clauses = tuple(_tree(random, mastered, depth + 1) for _ in range(random.randint(1, 3)))
        if random.random() < 0.5:
            return AllOf(clauses=clauses)
        return SomeOf(count=random.randint(1, len(clauses)), clauses=clauses)
    return random.choice(
        (
            EstimateReaches(points=mastered),
            EvidenceReaches(count=random.randint(1, 4)),
            EvidenceReaches(count=1, kind=random.choice(list(EvidenceKind)[:3])),
            SituationsReach(count=random.randint(1, 3), of=random.choice(list(Situation))),
            NewestWithin(days=random.choice((1, 10, 40))),
            LineItemCounts(pattern=random.choice(["*project*", "*project*", "*nothing*"])),
            ChildrenMastered(count=random.choice((None, 1, 2))),
        )
    )
