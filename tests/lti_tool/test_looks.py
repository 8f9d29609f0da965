"""What a level looks like, beside the level, for whoever sees it."""

import pytest
from sqlalchemy import insert, update

from store.session import writing
from store.tables import competency_indicators, standings
from tests.lti_tool.classroom import GUARDIAN, TEACHER, fill
from tests.lti_tool.test_pages import Visitor

SUMMARY = "What Mastered looks like here"


@pytest.fixture
def ids(stage):
    found = fill(stage)
    levels = standings.c.competency_id == found.competency["N.1"]
    with writing(stage.container.engine) as connection:
        connection.execute(update(standings).where(levels).values(level=3))
    return found


def say(stage, ids, texts):
    rows = [
        {"competency_id": ids.competency["N.1"], "level": level, "language": tag, "text": text}
        for level, tag, text in texts
    ]
    with writing(stage.container.engine) as connection:
        connection.execute(insert(competency_indicators), rows)


def test_a_level_has_its_own_words_in_the_pages_language(stage, ids):
    say(
        stage,
        ids,
        [(3, "en-US", "Near"), (3, "en", "I explain <it>"), (3, "pt", "Explico"), (2, "en", "2")],
    )
    ada = f"learners/{ids.learner['Ada']}"

    own, family = Visitor(stage).text(), Visitor(stage, **GUARDIAN).text(ada)
    taught = Visitor(stage, **TEACHER).text(ada)

    assert f"{SUMMARY} I explain &lt;it&gt;" in own
    assert f"{SUMMARY} I explain &lt;it&gt;" in family
    assert "Near" not in own
    assert "looks like here I explain &lt;it&gt;" in taught


def test_a_level_that_nobody_described_has_the_statement(stage, ids):
    say(stage, ids, [(3, "pt", "Explico"), (0, "en", "I begin")])

    assert f"{SUMMARY} Statement of N.1" in Visitor(stage).text()


@pytest.mark.usefixtures("ids")
def test_what_is_no_level_has_no_words(stage):
    assert Visitor(stage).text().count("looks like here") == 1


def test_a_status_that_a_person_gave_is_no_level(stage, ids):
    given = standings.c.competency_id == ids.competency["N.1"]
    with writing(stage.container.engine) as connection:
        connection.execute(update(standings).where(given).values(override=1))

    assert "looks like here" not in Visitor(stage).text()
