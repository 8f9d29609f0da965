"""Canvas's own numbers beside ours: what Waymark read of a course rolls up as Canvas shows it."""

import json
import urllib.request
from collections import defaultdict
from math import isnan

import pytest

from connectors.platform import PlatformKind
from mapping.estimators.canvas_rollup import CanvasOutcome, CanvasResults
from mapping.records import PassbackWay, ScoreState
from tests.contracts.subjects import draw_district, post, query, simulated

pytestmark = pytest.mark.story

METHODS = (
    ("highest", None),
    ("latest", None),
    ("average", None),
    ("decaying_average", 65),
    ("weighted_average", 40),
    ("standard_decaying_average", 75),
    ("n_mastery", 2),
)


@pytest.fixture(scope="module")
def canvas(tmp_path_factory):
    district = draw_district(tmp_path_factory.mktemp("district"))
    folder = tmp_path_factory.mktemp("canvas")
    with simulated(district, folder, PlatformKind.CANVAS, PassbackWay.WORDS) as subject:
        yield subject


@pytest.fixture(scope="module")
def assessed(canvas):
    """By learner, what the first row of each rubric says: score, possible, place and when.

    Rows of one rubric are of the same second, whose order Canvas leaves to chance.
    """
    maxima = {
        (item.ref, criterion.ref): criterion.maximum
        for item in canvas.gradebook.line_items(canvas.course)
        for criterion in item.criteria[:1]
    }
    found = defaultdict(list)
    for score in canvas.all_scores()[0]:
        place = (score.line_item_ref, score.criterion_ref)
        if place in maxima and score.state is ScoreState.GRADED:
            when = score.submitted_at or score.graded_at
            found[score.learner_ref].append((score.points, maxima[place], place, when))
    return found


def shown(canvas, outcome):
    """Canvas's own rollups of an outcome by active learner, None where it shows "unassessed"."""
    token = query(canvas.state, "SELECT value FROM config WHERE key = 'api_token'")[0][0]
    rollups, page = {}, 1
    while True:
        path = f"/api/v1/courses/{canvas.course}/outcome_rollups"
        url = f"{canvas.url}{path}?outcome_ids[]={outcome}&per_page=100&page={page}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - our own address
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own address
            rows = json.load(answer)["rollups"]
        for row in rows:
            rollups[row["links"]["user"]] = next((one["score"] for one in row["scores"]), None)
        if len(rows) < 100:
            return rollups
        page += 1


@pytest.mark.parametrize(("method", "number"), METHODS)
def test_what_waymark_read_rolls_up_to_what_canvas_shows(canvas, assessed, method, number):
    places = sorted({place for rows in assessed.values() for _, _, place, _ in rows})
    made = post(
        f"{canvas.url}/_control/outcome",
        {
            "course": int(canvas.course),
            "title": method,
            "points_possible": 4,
            "mastery_points": 3,
            "calculation_method": method,
            "calculation_int": number,
            "vendor_guid": f"guid of {method}",
            "alignments": [{"assignment": int(a), "criterion": c} for a, c in places],
        },
    )
    theirs = shown(canvas, made["outcome"])

    learners = sorted(assessed)
    rows = [row for learner in learners for row in assessed[learner]]
    offsets = [0]
    for learner in learners:
        offsets.append(offsets[-1] + len(assessed[learner]))
    results = CanvasResults.of(
        {
            "score": [row[0] for row in rows],
            "percent": [row[0] / row[1] for row in rows],
            "possible": [row[1] for row in rows],
            "association": [int(row[2][0]) for row in rows],
            "is_quiz": [False] * len(rows),
            "seconds": [int(row[3].timestamp()) for row in rows],
        },
        offsets,
    )
    outcome = CanvasOutcome(
        points_possible=4, mastery_points=3, method=method, number=number, has_new_decaying=False
    )
    rolled_up = zip(learners, outcome.rollup(results).tolist(), strict=True)
    ours = {who: None if isnan(score) else score for who, score in rolled_up}

    assert sum(score is not None for score in theirs.values()) > 5
    assert {who: ours.get(who) for who in theirs} == theirs


def test_the_outcomes_of_rubric_rows_are_read_with_their_rubrics(canvas):
    rows = [
        (item.ref, criterion.ref)
        for item in canvas.gradebook.line_items(canvas.course)
        for criterion in item.criteria
    ]
    alignments = [{"assignment": int(rows[-1][0]), "criterion": rows[-1][1]}]
    made = {"course": int(canvas.course), "title": "MA.1", "alignments": alignments}

    post(f"{canvas.url}/_control/outcome", {**made, "vendor_guid": "guid-1"})
    read = canvas.gradebook.line_items(canvas.course)

    links = [one.links for item in read if item.ref == rows[-1][0] for one in item.criteria]
    assert links[-1] == (("guid-1", "MA.1"),)
