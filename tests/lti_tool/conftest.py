"""The stage that every test of the web face acts on."""

from tests.lti_tool.stage import redis_server, shared_stage, signing_keys, stage

__all__ = ["redis_server", "shared_stage", "signing_keys", "stage"]
