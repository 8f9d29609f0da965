"""What a gradebook shall say, and what of it must not be touched.

First ``plan``: the marks wanted, less those known to stand there. Then, with the column read
again, ``settle``: what to send, what stands there already, and where a person has changed the
cell, who is never overwritten.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mapping.records import FoundMark, LearnerRef, Mark, PassbackWay
from mapping.scales import rounded
from mapping.status import Status

LONGEST_WORDS = 255
"""Characters that a cell takes; Canvas ends a bulk write at a longer one.

Source: contracts/canvas.md 4.3.
"""

LEVELS = (Status.EMERGING, Status.DEVELOPING, Status.MASTERED)
"""What can be rated, lowest first; a rating is written as its number, from 1."""

_RATED = {Status.RECHECK_DUE: Status.MASTERED, Status.NOT_SUSTAINED: Status.DEVELOPING}
_WITH_POINTS = frozenset(
    {PassbackWay.MARK_NOT_COUNTED, PassbackWay.MARK_COUNTED, PassbackWay.COMPETENCY}
)
_TAG_ENDS = {PassbackWay.MARK_COUNTED: ":counted"}
_TITLE_ENDS = {PassbackWay.MARK_COUNTED: " (counts)"}
_TITLE_CHARACTERS = 200

OWN_TITLE = "Waymark: "
"""How the title of every column begins; tells one where the LMS does not say who made it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A strand's standing as its learner may see it.

    ``label`` is what the rule's scale calls the status; ``estimate`` is in scale points, None
    where there is none; ``competency_total`` counts the strand's competencies, 0 where the mark
    is about a competency itself.
    """

    status: Status
    label: str
    estimate: float | None
    mastered_count: int = 0
    competency_total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Marks to bring to one column.

    ``writes`` are to be settled and sent; ``unchanged`` learners have their mark already;
    ``withheld`` ones have no status that may be written yet.
    """

    way: PassbackWay
    writes: tuple[Mark, ...]
    unchanged: tuple[LearnerRef, ...] = ()
    withheld: tuple[LearnerRef, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A cell that a person changed; ``reason`` says so to a person."""

    learner_ref: LearnerRef
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """A plan held against what the column says now; every write is in one of the three."""

    send: tuple[Mark, ...]
    already_there: tuple[Mark, ...]
    conflicts: tuple[Conflict, ...]


def column_tag(code: str, way: PassbackWay) -> str:
    """What finds a column again, for ever.

    A column that counts has another than one that does not, so that neither is ever taken for
    the other where a school changes its way.
    """
    return f"waymark:{code}{_TAG_ENDS.get(way, '')}"


def column_title(name: str, way: PassbackWay) -> str:
    """A column's title, at most 200 characters; one that counts says so."""
    end = _TITLE_ENDS.get(way, "")
    return f"{OWN_TITLE}{name}"[: _TITLE_CHARACTERS - len(end)] + end


def words(label: str, mastered_count: int, competency_total: int) -> str:
    """A status for a gradebook cell: "Developing (2 of 5 competencies mastered)".

    Args:
        label: What the status is called; spaces at its ends and line breaks are left out.
        mastered_count: Competencies of the strand that are mastered, 0 to ``competency_total``.
        competency_total: Competencies of the strand; 0 leaves the counts out.

    Returns:
        At most ``LONGEST_WORDS`` characters.

    Raises:
        ValueError: The counts cannot be.
    """
    if not 0 <= mastered_count <= competency_total:
        raise ValueError(f"{mastered_count} of {competency_total} competencies cannot be mastered")
    plain = " ".join(label.split())
    if competency_total == 0:
        return plain[:LONGEST_WORDS].rstrip()
    noun = "competency" if competency_total == 1 else "competencies"
    counts = f" ({mastered_count} of {competency_total} {noun} mastered)"
    return plain[: LONGEST_WORDS - len(counts)] + counts


def plan(
    desired: Mapping[LearnerRef, Wanted], recorded: Mapping[LearnerRef, Mark], way: PassbackWay
) -> Plan:
    """Find the marks to write to one column.

    A status without enough evidence is not written, unless a mark of ours stands there: then
    its words are, and points are withdrawn. A rating cannot be taken back, so it stays. A mark
    equal to the recorded one is never written again, points being compared as they are shown.

    Args:
        desired: Standings by learner, as far as the learner may see them. A learner who is not
            among them has left the course, and their cell is left alone.
        recorded: The marks known, from reading back, to stand in the column.
        way: How marks reach this column.

    Returns:
        The plan, learners in the order of ``desired``.

    Source: contracts/passback.md.
    """
    if way is PassbackWay.NONE:
        return Plan(way=way, writes=())
    replaceable = frozenset() if way is PassbackWay.COMPETENCY else recorded.keys()
    marks = {
        learner: _mark(learner, wanted, way)
        for learner, wanted in desired.items()
        if wanted.status.is_evidenced or learner in replaceable
    }
    is_new = {
        learner: learner not in recorded or not _is_same(mark, recorded[learner])
        for learner, mark in marks.items()
    }
    return Plan(
        way=way,
        writes=tuple(mark for learner, mark in marks.items() if is_new[learner]),
        unchanged=tuple(learner for learner in marks if not is_new[learner]),
        withheld=tuple(learner for learner in desired if learner not in marks),
    )


def _mark(learner: LearnerRef, wanted: Wanted, way: PassbackWay) -> Mark:
    return Mark(
        learner_ref=learner,
        words=words(wanted.label, wanted.mastered_count, wanted.competency_total),
        points=_points(wanted, way),
    )


def _points(wanted: Wanted, way: PassbackWay) -> float | None:
    if way not in _WITH_POINTS or not wanted.status.is_evidenced:
        return None
    if way is PassbackWay.COMPETENCY:
        return float(LEVELS.index(_RATED.get(wanted.status, wanted.status)) + 1)
    return _shown(wanted.estimate)


def _shown(points: float | None) -> float | None:
    return None if points is None else float(rounded(points))


def _is_same(mark: Mark, other: Mark) -> bool:
    return mark.words == other.words and _shown(mark.points) == _shown(other.points)


def settle(
    planned: Plan, found: Mapping[LearnerRef, FoundMark], recorded: Mapping[LearnerRef, Mark]
) -> Settlement:
    """Hold a plan against what the column says now.

    A cell that says what is wanted needs nothing. One that a person wrote last is a conflict,
    and so is one that says neither what is wanted nor what was recorded, unless the LMS knows
    that Waymark wrote it. Where nothing was recorded, only an empty cell or one that the LMS
    knows to be Waymark's is written.

    Args:
        planned: The plan.
        found: What the column says; a learner without an entry has an empty cell.
        recorded: The marks known to have stood in the column.

    Returns:
        What to do with each write, in the order of the plan.

    Source: contracts/passback.md, "Rules for every way".
    """
    send: list[Mark] = []
    already_there: list[Mark] = []
    conflicts: list[Conflict] = []
    for mark in planned.writes:
        cell = found.get(mark.learner_ref, FoundMark())
        known = recorded.get(mark.learner_ref)
        if _stands(cell, mark, planned.way, known=known):
            already_there.append(mark)
        elif _may_write(cell, known, planned.way):
            send.append(mark)
        else:
            reason = _reason(cell, known, planned.way)
            conflicts.append(Conflict(learner_ref=mark.learner_ref, reason=reason))
    return Settlement(
        send=tuple(send), already_there=tuple(already_there), conflicts=tuple(conflicts)
    )


def _stands(cell: FoundMark, mark: Mark, way: PassbackWay, *, known: Mark | None) -> bool:
    if way in _WITH_POINTS and cell.words is None and known is not None:
        # Words that cannot be read back prove themselves only by the points that go with them.
        is_told = _shown(known.points) != _shown(mark.points)
        return is_told and _says(cell, mark, way)
    return _says(cell, mark, way)


def _may_write(cell: FoundMark, known: Mark | None, way: PassbackWay) -> bool:
    if cell.is_ours is not None and not _is_empty(cell, way):
        return cell.is_ours
    if known is None:
        return _is_empty(cell, way)
    return cell.is_ours is True or _says(cell, known, way)


def _says(cell: FoundMark, mark: Mark, way: PassbackWay) -> bool:
    if way is PassbackWay.WORDS:
        return (cell.words or "").strip() == mark.words
    has_words = cell.words is None or cell.words.strip() == mark.words
    return has_words and _shown(cell.points) == _shown(mark.points)


def _is_empty(cell: FoundMark, way: PassbackWay) -> bool:
    # In a column of words Moodle answers 0 points for every cell; only words count there.
    has_points = way in _WITH_POINTS and cell.points is not None
    return not has_points and not (cell.words or "").strip()


def _reason(cell: FoundMark, known: Mark | None, way: PassbackWay) -> str:
    left = "Waymark left it as it is."
    if _is_empty(cell, way):
        return f"A person emptied this cell after Waymark wrote it. {left}"
    if known is None:
        return f"This cell already says {_quoted(cell, way)}, which Waymark did not write. {left}"
    return (
        f"A person changed this cell after Waymark wrote it: it says {_quoted(cell, way)}. {left}"
    )


def _quoted(cell: FoundMark, way: PassbackWay) -> str:
    if way in _WITH_POINTS and cell.points is not None:
        return f'"{_told(cell.points, way)}"'
    return f'"{(cell.words or "").strip()}"'


def said(mark: Mark | FoundMark, way: PassbackWay) -> str:
    """What a cell says, for a person.

    Args:
        mark: The mark that stands there, or that is to.
        way: The column's.

    Returns:
        The points, if any, before the words; the level's name for a rating; empty for nothing.
    """
    if way is PassbackWay.COMPETENCY and mark.points is not None:
        return _told(mark.points, way)
    points = "" if mark.points is None else _told(mark.points, way)
    return " ".join(part for part in (points, (mark.words or "").strip()) if part)


def _told(points: float, way: PassbackWay) -> str:
    if way is PassbackWay.COMPETENCY and 1 <= points <= len(LEVELS):
        return LEVELS[int(points) - 1].label
    return f"{points:g}"
