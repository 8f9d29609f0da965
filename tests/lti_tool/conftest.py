"""The stage that every test of the web face acts on."""

from tests.lti_tool.stage import shared_stage, signing_keys, stage

__all__ = ["shared_stage", "signing_keys", "stage"]
