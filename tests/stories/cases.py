"""The kinds of change in a gradebook: what is done before the first night, and what after it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.stories.tiny import KEYS, LEVELS, MOODLE, NOT_COUNTED, QUIET, WORDS, Plan, Spot, spot

BOTH = ("canvas", "moodle")
CANVAS = ("canvas",)
ONLY_MOODLE = ("moodle",)
NEW = "new"
COMPANION = "the other course"
STRANGER = "somebody of the other course"


@dataclass(frozen=True, slots=True, kw_only=True)
class Do:
    """One act. ``item`` is a key of ``tiny.ITEMS`` or NEW, ``learner`` a place in the class.

    ``learner`` and ``value`` may be STRANGER, ``value`` COMPANION.
    """

    act: str
    item: str = ""
    learner: int | str = 0
    value: object = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A kind of change. ``sweep`` says why no ordinary night can see it, by LMS."""

    name: str
    then: Sequence[Do]
    lmss: Sequence[str] = BOTH
    before: Sequence[Do] = ()
    sweep: dict[str, str] = field(default_factory=dict)
    has_companion: bool = False
    is_marked: bool = False


def _grade(points: float, item: str = "homework") -> Do:
    return Do(act="grade", item=item, value=points)


_POLICY = Do(act="change_late_policy", value=10)
_ROW_GONE = "The row disappears; nothing that is left was touched."
_NO_SIS_ID = "Canvas shows SIS ids in no list that is short enough to be asked for every night."
_SAME_COUNTS = "Canvas tells how many are in a group; who they are takes a request a course."
_NO_RUBRIC = "Canvas lets no moment of the assignment move when its rubric is edited."

CASES: Sequence[Case] = (
    Case(name="nothing", then=()),
    Case(name="score set", then=[_grade(13, "empty")]),
    Case(name="score raised", then=[_grade(19)]),
    Case(name="score lowered", then=[_grade(3)]),
    Case(name="score set to zero", then=[_grade(0)]),
    Case(name="score above maximum", then=[_grade(23)]),
    Case(name="quiz regraded", then=[_grade(4, "quiz")]),
    Case(name="score cleared", then=[Do(act="clear", item="homework")]),
    Case(
        name="score cleared and set again", then=[Do(act="clear", item="paper"), _grade(5, "paper")]
    ),
    Case(name="comment only", then=[Do(act="comment", item="homework", value="See me")]),
    Case(name="excused", then=[Do(act="excuse_learner", item="homework")], lmss=CANVAS),
    Case(
        name="excuse taken back",
        before=[Do(act="excuse_learner", item="homework")],
        then=[Do(act="take_back_excuse", item="homework")],
        lmss=CANVAS,
    ),
    Case(
        name="graded after excuse",
        before=[Do(act="excuse_learner", item="homework")],
        then=[_grade(11)],
        lmss=CANVAS,
    ),
    Case(name="handed in", then=[Do(act="hand_in", item="empty")]),
    Case(name="handed in again", then=[Do(act="hand_in", item="homework")]),
    Case(
        name="regraded after handing in again",
        before=[Do(act="hand_in", item="homework")],
        then=[_grade(20)],
    ),
    Case(
        name="waiting for review",
        then=[Do(act="hand_in_for_review", item="quiz", value=6)],
        lmss=CANVAS,
    ),
    Case(
        name="late penalty added",
        before=[_POLICY],
        then=[Do(act="mark_late", item="homework")],
        lmss=CANVAS,
    ),
    Case(
        name="late status taken back",
        before=[_POLICY],
        then=[Do(act="take_back_status", item="late")],
        lmss=CANVAS,
    ),
    Case(
        name="late policy changed",
        before=[_POLICY],
        then=[Do(act="change_late_policy", value=25)],
        lmss=CANVAS,
    ),
    Case(
        name="marked missing", then=[Do(act="mark_missing", item="empty", learner=1)], lmss=CANVAS
    ),
    Case(
        name="missing taken back",
        before=[Do(act="mark_missing", item="homework")],
        then=[Do(act="take_back_status", item="homework")],
        lmss=CANVAS,
    ),
    Case(
        name="due date passed",
        then=[Do(act="let_due_pass", item="future")],
        lmss=CANVAS,
    ),
    Case(
        name="missing policy",
        then=[Do(act="fill_missing", item="future")],
        lmss=CANVAS,
    ),
    Case(
        name="missing policy after the due date was seen to pass",
        before=[Do(act="let_due_pass", item="future")],
        then=[Do(act="fill_missing", item="future")],
        lmss=CANVAS,
    ),
    Case(name="scores hidden", then=[Do(act="hide_scores", item="homework")]),
    Case(
        name="scores shown again",
        before=[Do(act="hide_scores", item="homework")],
        then=[Do(act="show_scores", item="homework")],
    ),
    Case(name="cell hidden", then=[Do(act="hide_cell", item="homework")], lmss=ONLY_MOODLE),
    Case(
        name="cell shown again",
        before=[Do(act="hide_cell", item="homework")],
        then=[Do(act="show_cell", item="homework")],
        lmss=ONLY_MOODLE,
    ),
    Case(name="overridden", then=[Do(act="override", item="homework", value=7)], lmss=ONLY_MOODLE),
    Case(
        name="override removed",
        before=[Do(act="override", item="homework", value=7)],
        then=[Do(act="remove_override", item="homework")],
        lmss=ONLY_MOODLE,
    ),
    Case(name="excluded", then=[Do(act="exclude", item="homework")], lmss=ONLY_MOODLE),
    Case(
        name="exclusion taken back",
        before=[Do(act="exclude", item="homework")],
        then=[Do(act="take_back_exclusion", item="homework")],
        lmss=ONLY_MOODLE,
    ),
    Case(name="locked", then=[Do(act="lock", item="homework")], lmss=ONLY_MOODLE),
    Case(name="scale item regraded", then=[_grade(2, "scale")], lmss=ONLY_MOODLE),
    Case(
        name="scale changed",
        then=[Do(act="change_scale", item="scale", value=",".join(("Nothing", *LEVELS)))],
        lmss=ONLY_MOODLE,
    ),
    Case(
        name="rubric row changed",
        then=[Do(act="grade_rubric_row", item="project", value=12)],
        lmss=CANVAS,
    ),
    Case(name="rubric row cleared", then=[Do(act="clear_rubric_row", item="project")], lmss=CANVAS),
    Case(
        name="rubric edited",
        then=[Do(act="change_rubric", item="project", value=60)],
        lmss=CANVAS,
        sweep={"canvas": _NO_RUBRIC},
    ),
    Case(name="maximum changed", then=[Do(act="change_maximum", item="homework", value=30)]),
    Case(name="item renamed", then=[Do(act="rename_item", item="quiz", value="Quiz 9: Fractions")]),
    Case(name="item moved", then=[Do(act="move_item", item="quiz", value="Homework")]),
    Case(
        name="due date changed",
        then=[Do(act="change_due", item="homework", value="2026-10-20T12:00:00+00:00")],
    ),
    Case(name="item unpublished", then=[Do(act="unpublish_item", item="paper")]),
    Case(
        name="item published again",
        before=[Do(act="unpublish_item", item="paper")],
        then=[Do(act="publish_item", item="paper")],
    ),
    Case(name="item deleted", then=[Do(act="delete_item", item="homework")]),
    Case(
        name="item added",
        then=[
            Do(act="add_item", item="paper", value="Homework 9: Fractions"),
            Do(act="grade", item=NEW, value=8),
        ],
    ),
    Case(
        name="learner unassigned",
        then=[Do(act="unassign", item="homework")],
        lmss=CANVAS,
        sweep={"canvas": _ROW_GONE},
    ),
    Case(
        name="learner assigned again",
        before=[Do(act="unassign", item="homework")],
        then=[Do(act="assign", item="homework")],
        lmss=CANVAS,
    ),
    Case(
        name="learner added",
        then=[Do(act="add_learner", learner=STRANGER)],
        has_companion=True,
    ),
    Case(
        name="learner added and graded",
        then=[
            Do(act="add_learner", learner=STRANGER),
            Do(act="grade", item="homework", learner=STRANGER, value=9),
        ],
        has_companion=True,
    ),
    Case(name="learner suspended", then=[Do(act="suspend_learner")]),
    Case(name="learner concluded", then=[Do(act="conclude_learner")], lmss=CANVAS),
    Case(name="learner removed", then=[Do(act="remove_learner")]),
    Case(
        name="suspended learner comes back",
        before=[Do(act="suspend_learner")],
        then=[Do(act="restore_learner")],
    ),
    Case(
        name="removed learner comes back",
        before=[Do(act="remove_learner")],
        then=[Do(act="restore_learner")],
    ),
    Case(
        name="moved to another section",
        then=[Do(act="move_section", value="Afternoon")],
        lmss=CANVAS,
    ),
    Case(
        name="moved to another group",
        before=[
            Do(act="move_group", value="Morning group"),
            Do(act="move_group", learner=1, value="Lab & field group"),
        ],
        then=[Do(act="move_group", value="Lab & field group")],
    ),
    Case(
        name="two learners change groups",
        before=[
            Do(act="move_group", value="Morning group"),
            Do(act="move_group", learner=1, value="Lab & field group"),
        ],
        then=[
            Do(act="move_group", value="Lab & field group"),
            Do(act="move_group", learner=1, value="Morning group"),
        ],
        sweep={"canvas": _SAME_COUNTS},
    ),
    Case(
        name="learner moved to another course",
        then=[Do(act="move_to_course", value=COMPANION)],
        has_companion=True,
    ),
    Case(
        name="user merged",
        then=[Do(act="merge_user", value=STRANGER)],
        lmss=CANVAS,
        has_companion=True,
    ),
    Case(
        name="SIS id corrected",
        then=[Do(act="correct_sis_id", value="CORRECTED {lms}")],
        sweep={"canvas": _NO_SIS_ID},
    ),
    Case(name="name changed", then=[Do(act="rename_learner", value="Newname")]),
    Case(name="course renamed", then=[Do(act="rename_course", value="Mathematics 6 renamed")]),
    Case(name="course concluded", then=[Do(act="conclude_course")], lmss=CANVAS),
    Case(
        name="graded and concluded the same day",
        then=[_grade(2), Do(act="conclude_course")],
        lmss=CANVAS,
    ),
    Case(name="course unpublished", then=[Do(act="unpublish_course")], lmss=CANVAS),
    Case(
        name="own words edited by a teacher",
        then=[Do(act="edit_own_column", value="I think otherwise")],
    ),
    Case(
        name="own mark edited by a teacher",
        then=[Do(act="edit_own_column", value=1)],
        lmss=CANVAS,
        is_marked=True,
    ),
)
ROWS = [(case, lms) for case in CASES for lms in case.lmss]


def plans() -> Sequence[Plan]:
    """A tiny course for each kind and LMS, and another one beside it where two are needed."""
    return [
        Plan(name=name, school=_school(case, lms, number))
        for number, (case, lms) in enumerate(ROWS)
        for name in names_of(case)
    ]


def names_of(case: Case) -> Sequence[str]:
    """The names of a kind's courses."""
    return [case.name, f"{case.name}, elsewhere"][: 1 + case.has_companion]


def _school(case: Case, lms: str, number: int) -> int:
    """Waymark writes in every third Canvas course only: a column takes it many requests."""
    if lms == "moodle":
        return MOODLE
    if case.is_marked:
        return NOT_COUNTED
    is_written = number % 3 == 0 or any(do.act == "edit_own_column" for do in case.then)
    return WORDS if is_written else QUIET


class Player:
    """Plays the acts of the table at one LMS; ``post`` sends one to its control API."""

    def __init__(self, lms: str, post: Callable[[dict], dict]) -> None:
        self._lms = lms
        self._post = post
        self._plans = plans()

    def prepare(self) -> None:
        """What is done before the first night."""
        for case, lms in ROWS:
            if lms == self._lms:
                self._play(case, case.before)

    def play_all(self) -> None:
        """The changes themselves."""
        for case, lms in ROWS:
            if lms == self._lms:
                self._play(case, case.then)

    def _play(self, case: Case, acts: Sequence[Do]) -> None:
        here, *others = (spot(self._plans, name, self._lms) for name in names_of(case))
        new = None
        for do in acts:
            answer = self._post(
                {
                    "kind": do.act,
                    "course": here.course,
                    "learner": _who(do.learner, here, others),
                    "item": new if do.item == NEW else here.items.get(do.item, 0),
                    "value": self._value(do.value, others),
                }
            )
            new = answer.get("item", new)

    def _value(self, value: object, others: Sequence[Spot]) -> object:
        if value == COMPANION:
            return others[0].course
        if value == STRANGER:
            return others[0].learners[0]
        return value.format(lms=self._lms) if isinstance(value, str) else value


def _who(learner: int | str, here: Spot, others: Sequence[Spot]) -> str:
    return others[0].learners[0] if learner == STRANGER else here.learners[int(learner)]


assert {do.item for case in CASES for do in case.then} <= {*KEYS, "", NEW}
