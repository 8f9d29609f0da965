"""What we rely on in PyLTI1p3, whose steps and private names we override."""

from importlib.metadata import version

import pytest

from lti_tool.launch.form import Parameters
from lti_tool.launch.login import GivenRequest, HeldSession
from lti_tool.launch.message import MessageLaunch
from lti_tool.launch.refusals import DeploymentUnapproved, LoginRefused
from lti_tool.launch.registry import Registry
from lti_tool.launch.services import make_services
from tests.lti_tool.platform import ISSUER
from tests.lti_tool.stage import OTHER_ISSUER

STEPS = (
    "validate_state",
    "validate_jwt_format",
    "validate_nonce",
    "validate_registration",
    "validate_jwt_signature",
    "validate_deployment",
    "validate_message",
    "save_launch_data",
)


def test_the_library_is_the_release_that_was_read():
    assert version("PyLTI1p3") == "2.0.0"


def test_the_library_takes_the_steps_of_a_launch_in_the_order_we_rely_on(stage):
    taken = []

    class Watched(MessageLaunch):
        def __getattribute__(self, name):
            if name in STEPS:
                return lambda: taken.append(name) or self
            return super().__getattribute__(name)

    services = make_services(stage.container, stage.key_sets)
    Watched(Parameters(values={}), services, sent_cookies={}).validate()

    assert tuple(taken) == STEPS


def test_every_step_is_our_own():
    assert set(STEPS) <= set(vars(MessageLaunch))


def test_the_library_gets_no_session_and_no_second_chance():
    request = GivenRequest(Parameters(values={"a": "b"}))

    assert (request.get_param("a"), request.get_param("c")) == ("b", "")
    assert request.session == {}
    assert request.is_secure()
    assert not HeldSession(request).check_state_is_valid("state", "hash")


def test_the_registry_answers_the_library_by_issuer_where_there_is_one_client(stage):
    registry = Registry(stage.container.engine, stage.clock)

    assert registry.find_registration_by_issuer(OTHER_ISSUER).get_client_id() == "client-2"
    assert registry.find_deployment(OTHER_ISSUER, "dep-2").get_deployment_id() == "dep-2"
    assert registry.check_iss_has_many_clients(ISSUER)
    assert not registry.check_iss_has_one_client(OTHER_ISSUER)


def test_the_registry_refuses_to_guess(stage):
    registry = Registry(stage.container.engine, stage.clock)

    with pytest.raises(LoginRefused, match="client_id_missing"):
        registry.find_registration_by_issuer(ISSUER)
    with pytest.raises(LoginRefused, match="platform_inactive"):
        registry.registration_of(99)
    with pytest.raises(DeploymentUnapproved):
        registry.find_deployment_by_params(ISSUER, "dep-B", "client-A")
