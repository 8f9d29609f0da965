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
