"""A trace as plain text."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from lti_tool.told import Names, told
from mapping.explanation.trace import Piece, Trace
from mapping.records import EvidenceKind
from mapping.status import Status
from store.reports import ItemLine


def test_a_trace_is_told_line_by_line():
    given_at = datetime(2026, 11, 21, 1, tzinfo=UTC)
    item = ItemLine(title="Essay", criterion="Ideas", course="Biology", is_published=True)
    shown = Piece(
        line_item=7,
        occurred_at=None,
        attempt=2,
        points=None,
        maximum=4.0,
        value=None,
        weight=1.0,
        kind=EvidenceKind.SKILL,
        is_late=False,
        is_counted=False,
        why="It has no score yet.",
        via=3,
    )
    found = Trace(
        learner=1,
        competency=2,
        status=Status.NO_EVIDENCE,
        label="No evidence yet",
        computed=Status.NO_EVIDENCE,
        level=-1,
        estimate=None,
        evidence_count=0,
        mastered_count=0,
        rule="A rule.",
        formula="",
        clause="",
        changes=(),
        pieces=(shown, replace(shown, line_item=8, occurred_at=given_at, points=3.0, value=3.0)),
    )
    names = Names(items={7: item}, competencies={3: "N.1 Count"})

    lines = list(told(found, names, zone=ZoneInfo("America/Sao_Paulo")))

    assert lines[0] == "No evidence yet, 0 pieces of evidence"
    assert "Essay: Ideas (Biology): no score (skill, weight 1.00, attempt 2" in lines[5]
    assert "shown for N.1 Count). It has no score yet." in lines[5]
    assert lines[6].startswith("  - 2026-11-20  line item 8: 3 of 4 = 3.00")
