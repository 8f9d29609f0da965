"""Whether store and gradebooks say what the LMSs' own files say they must, and nothing twice."""

from collections.abc import Sequence

from mapping.passback import words
from mapping.status import Status
from tests.stories.chaos.ledger import by_hand, overwritten, written_twice
from tests.stories.chaos.world import LMSS, PLANS, World
from tests.stories.staleness import stale_standings
from tests.stories.tiny import plans_in, spot
from tests.stories.truth import canvas_book, held_book, moodle_book

_READERS = {"canvas": canvas_book, "moodle": moodle_book}

_TOLD = "(to_jsonb(e) - 'id' - 'recorded_at' - 'run_id')"
"""All that an event says of its cell, however it is laid out."""
_REPEATED = f"""
    SELECT count(*) FROM (SELECT {_TOLD} AS told, lag({_TOLD}) OVER (
        PARTITION BY line_item_id, learner_id ORDER BY id) AS was_told FROM score_events e) two
    WHERE told = was_told
"""  # noqa: S608 - own words
_TWICE_IN_A_ROUND = """
    SELECT count(*) FROM (SELECT 1 FROM score_events WHERE id > :since
        GROUP BY line_item_id, learner_id HAVING count(*) > 1) twice
"""
_NOT_THE_NEWEST = f"""
    SELECT count(*) FROM scores s JOIN (SELECT DISTINCT ON (line_item_id, learner_id) *
        FROM score_events ORDER BY line_item_id, learner_id, id DESC) e
        USING (line_item_id, learner_id)
    WHERE to_jsonb(s) <> {_TOLD}
"""  # noqa: S608 - own words
_WANTED = """
    SELECT DISTINCT p.kind, pc.ref AS column_ref, la.ref AS learner_ref, st.status,
        st.mastered_count, (SELECT count(DISTINCT k2.id) FROM alignments a2
            JOIN competencies k2 ON k2.id = a2.competency_id WHERE k2.parent_id = k.id) AS total
    FROM alignments al
    JOIN competencies child ON child.id = al.competency_id
    JOIN competencies k ON k.id = child.parent_id
    JOIN line_items i ON i.id = al.line_item_id
    JOIN courses c ON c.id = i.course_id
    JOIN platforms p ON p.id = c.platform_id
    JOIN enrolments e ON e.course_id = c.id AND e.state = 'active'
    JOIN learner_accounts la ON la.learner_id = e.learner_id AND la.platform_id = p.id
    JOIN standings st ON st.learner_id = e.learner_id AND st.competency_id = k.id AND st.view = 1
    JOIN passback_columns pc ON pc.course_id = c.id AND pc.competency_id = k.id
    WHERE c.state = 'active'
"""
"""What the gradebooks shall say, asked of the standings without Waymark's own planning."""


def newest_event(world: World) -> int:
    return int(world.rows("SELECT COALESCE(max(id), 0) FROM score_events")[0][0])


def faults_found(world: World, *, since_event: int) -> list[str]:
    """Everything that is not as it must be after a night that nobody disturbed, a line each."""
    return [
        *_books(world),
        *_events(world, since_event),
        *(f"standing {one} is stale" for one in stale_standings(world.container, world.tenant)),
        *_marks(world),
        *_writes(world),
        *_left_over(world),
    ]


def _books(world: World) -> list[str]:
    found = []
    for lms in LMSS:
        for plan in plans_in(PLANS, lms):
            course = spot(PLANS, plan.name, lms).course
            true = _READERS[lms](world.ledgers[lms].path, course)
            held = held_book(world.rows, lms, course)
            found += [f"{plan.name}: {line}" for line in true.differences(held)]
    return found


def _events(world: World, since: int) -> list[str]:
    counts = {
        "score events repeat the one before": world.rows(_REPEATED)[0][0],
        "cells have two events of one night": world.rows(_TWICE_IN_A_ROUND, since=since)[0][0],
        "scores are not what their newest event says": world.rows(_NOT_THE_NEWEST)[0][0],
    }
    return [f"{count} {what}" for what, count in counts.items() if count]


def _marks(world: World) -> list[str]:
    cells = {lms: ledger.cells() for lms, ledger in world.ledgers.items()}
    hands = {lms: by_hand(ledger.writes()) for lms, ledger in world.ledgers.items()}
    seen: dict[str, set[str]] = {lms: set() for lms in LMSS}
    found = []
    for row in world.rows(_WANTED):
        place = _place(row.column_ref, row.learner_ref)
        seen[row.kind].add(place)
        says, _ = cells[row.kind].get(place, ("", None))
        if place in hands[row.kind]:
            continue
        status = Status(row.status)
        wanted = words(status.label, min(row.mastered_count, row.total), row.total)
        if says != wanted and not (says == "" and not status.is_evidenced):
            found.append(f"{row.kind} {place} says {says!r} and shall say {wanted!r}")
    for lms in LMSS:
        found += [f"{lms} {place} is nobody's" for place in cells[lms].keys() - seen[lms]]
        found += _by_hand_gone(lms, cells[lms], hands[lms])
    return found + _points(world, cells["canvas"], hands["canvas"])


def _by_hand_gone(
    lms: str, cells: dict[str, tuple[str, float | None]], hands: dict[str, str]
) -> list[str]:
    return [
        f"{lms} {place} said {said!r} by hand and says {cells.get(place)}"
        for place, said in hands.items()
        if said not in {cells[place][0], str(cells[place][1])}
    ]


def _points(
    world: World, cells: dict[str, tuple[str, float | None]], hands: dict[str, str]
) -> list[str]:
    """Points that are not the learner's estimate, to the tenth that is shown."""
    rows = world.rows(
        "SELECT pc.ref, la.ref AS learner_ref, st.estimate FROM passback_columns pc "
        "JOIN courses c ON c.id = pc.course_id JOIN passback_marks m ON m.column_id = pc.id "
        "JOIN learner_accounts la ON la.learner_id = m.learner_id "
        "AND la.platform_id = c.platform_id "
        "JOIN standings st ON st.learner_id = m.learner_id AND st.view = 1 "
        "AND st.competency_id = pc.competency_id WHERE pc.way = 'mark_not_counted'"
    )
    found = []
    for row in rows:
        place = _place(row.ref, row.learner_ref)
        points = cells[place][1]
        is_theirs = points is not None and abs(points - (row.estimate or 0.0)) <= 0.051
        if place not in hands and not is_theirs:
            found.append(f"canvas {place} has {points} points for an estimate of {row.estimate}")
    return found


def _place(column_ref: str, learner_ref: str) -> str:
    """The ledger's word for a cell: of a custom column's number or a line item's address."""
    if "/" not in column_ref:
        return f"column {column_ref} {learner_ref}"
    parts = column_ref.partition("?")[0].split("/")
    return f"line item {next(part for part in reversed(parts) if part.isdigit())} {learner_ref}"


def _writes(world: World) -> list[str]:
    found = []
    for lms, ledger in world.ledgers.items():
        writes = ledger.writes()
        found += [f"{lms} {line}" for line in (*written_twice(writes), *overwritten(writes))]
    held = world.rows("SELECT count(*) FROM passback_columns")[0][0]
    made = sum(ledger.columns() for ledger in world.ledgers.values())
    if made != held:
        found.append(f"{made} columns were made and {held} are known")
    # A score that equals the stored one leaves no trace in Moodle's own tables.
    taken = world.ask("moodle", "counters")["taken"]
    moodle = world.ledgers["moodle"]
    stored = sum(one.by_tool for one in moodle.writes()) + moodle.columns()
    if taken != stored:
        found.append(f"Moodle took {taken} writes, of which {stored} changed something")
    return found


def _left_over(world: World) -> Sequence[str]:
    counts = {
        "work items are unfinished": "SELECT count(*) FROM work_items "
        "WHERE state IN ('pending', 'working')",
        "letters were sent and not settled": "SELECT count(*) FROM outbox "
        "WHERE state IN ('sent', 'wanted')",
        "learners wait to be computed": "SELECT count(*) FROM recompute_queue",
    }
    told = {what: world.rows(query)[0][0] for what, query in counts.items()}
    return [f"{count} {what}" for what, count in told.items() if count]
