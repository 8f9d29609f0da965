"""One stage for all attacks: none of them may change anything."""

import pytest

from tests.lti_tool.stage import START, shared_stage, signing_keys
from tests.lti_tool.stage import stage as fresh_stage

__all__ = ["fresh_stage", "shared_stage", "signing_keys"]


@pytest.fixture
def stage(shared_stage):
    shared_stage.container.redis.flushdb()
    shared_stage.clock.at = START
    # At one moment, many tests from one address would be a flood.
    shared_stage.app.extensions["waymark"].doors._full_at.clear()
    return shared_stage
