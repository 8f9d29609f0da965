"""What a learner is ready for is told where something precedes something, and nowhere else."""

import pytest

from mapping.records import LinkKind
from mapping.status import Status
from store.tables import competency_links, standings
from tests.lti_tool.classroom import GUARDIAN, TEACHER, fill
from tests.lti_tool.test_pages import Visitor

READY = "What comes before these is mastered."


@pytest.fixture
def ids(stage):
    return fill(stage)


def precede(stage, ids, first, then):
    with stage.container.engine.begin() as connection:
        connection.execute(
            competency_links.insert().values(
                origin_id=ids.competency[first],
                kind=LinkKind.PRECEDES.value,
                destination_id=ids.competency[then],
            )
        )


@pytest.mark.usefixtures("ids")
def test_nothing_is_said_where_nothing_precedes_anything(stage):
    assert READY not in Visitor(stage).text()


def test_who_mastered_what_comes_before_is_ready(stage, ids):
    precede(stage, ids, "N.1", "N.2")

    text = Visitor(stage).text()

    assert f"{READY} Statement of N.2 N.2" in text


def test_who_did_not_is_not_told_so(stage, ids):
    precede(stage, ids, "L.1", "N.2")

    assert READY not in Visitor(stage).text()


def test_a_re_check_that_is_due_keeps_nobody(stage, ids):
    precede(stage, ids, "N.1", "N.2")
    with stage.container.engine.begin() as connection:
        connection.execute(
            standings.update()
            .where(standings.c.competency_id == ids.competency["N.1"])
            .values(status=int(Status.RECHECK_DUE))
        )

    assert READY in Visitor(stage).text()


def test_a_guardian_sees_it_as_the_learner_does(stage, ids):
    precede(stage, ids, "N.1", "Z.9")

    text = Visitor(stage, **GUARDIAN).text(f"learners/{ids.learner['Ada']}")

    assert f"{READY} Statement of Z.9 Z.9" in text


def test_a_teacher_is_told_of_what_their_course_speaks_for(stage, ids):
    with stage.container.engine.begin() as connection:
        connection.execute(
            standings.update()
            .where(standings.c.competency_id == ids.competency["N.1"])
            .values(status=int(Status.MASTERED))
        )
    precede(stage, ids, "N.1", "N.2")
    precede(stage, ids, "N.1", "L.1")

    text = Visitor(stage, **TEACHER).text(f"learners/{ids.learner['Ada']}")

    assert f"{READY} Statement of N.2 N.2" in text
    assert "Statement of L.1" not in text
