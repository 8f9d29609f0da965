"""A look at the district's LMSs, each of which fetches Waymark's keys to give a token."""

import pytest

from bootstrap.checkup import check_platform
from store import registrations
from store.session import reading

pytestmark = pytest.mark.story


def test_a_look_at_both_lmss_finds_nothing_to_do(stage):
    with reading(stage.container.engine) as connection:
        platforms = registrations.platforms(connection, stage.tenant)

    found = {
        platform.kind: {check.name: check for check in check_platform(stage.container, platform.id)}
        for platform in platforms
    }

    failed = [check for checks in found.values() for check in checks.values() if not check.ok]
    assert failed == []
    assert set(found) == {"canvas", "moodle"}
    assert found["canvas"]["API token"].found
    assert "Moodle" in found["moodle"]["API token"].found


@pytest.mark.parametrize("kind", ["canvas", "moodle"])
def test_a_courses_roster_is_had_without_any_launch(stage, kind):
    with reading(stage.container.engine) as connection:
        platform = next(
            one for one in registrations.platforms(connection, stage.tenant) if one.kind == kind
        )
    stage.run_night()
    (ref, learners) = stage.rows(
        "SELECT c.ref, count(*) FROM courses c JOIN enrolments e ON e.course_id = c.id "
        "WHERE c.platform_id = :platform AND e.state = 'active' "
        "GROUP BY c.id ORDER BY count(*) DESC LIMIT 1",
        platform=platform.id,
    )[0]

    members = list(stage.container.members(platform.id, ref))
    checks = {check.name: check for check in check_platform(stage.container, platform.id)}

    assert sum(any("#Learner" in role for role in one.roles) for one in members) >= learners > 0
    assert len({one.user_id for one in members}) == len(members)
    assert checks["Roster"].ok
    assert "members of" in checks["Roster"].found
