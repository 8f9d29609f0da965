from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.wrappers import Response

from connectors.errors import GiveUp, Gone, RetryLater, Unauthorized
from connectors.moodle.webservice import Webservice, failure_of, flattened
from connectors.platform import PlatformKind, open_client
from tests.connectors.doubles import access, services
from tests.connectors.serving import answer_json
from tests.replay import recorded

REST = "/webservice/rest/server.php"


def build(lms, **changes):
    platform = access(lms.url, PlatformKind.MOODLE, **changes)
    return Webservice(open_client(platform, services()), platform)


def test_the_token_travels_in_the_body_and_never_in_the_address(lms):
    lms.on("POST", REST, answer_json([]))

    build(lms).call("core_course_get_courses", {}, list)

    assert lms.seen[0].query == {}
    assert lms.seen[0].form == {
        "wstoken": "secret-api-token",
        "wsfunction": "core_course_get_courses",
        "moodlewsrestformat": "json",
    }


def test_arguments_are_written_in_brackets():
    arguments = {
        "courseid": 2,
        "flag": True,
        "options": [{"name": "onlyactive", "value": 1}, {"name": "limitnumber", "value": 5}],
    }

    assert flattened(arguments) == [
        ("courseid", "2"),
        ("flag", "1"),
        ("options[0][name]", "onlyactive"),
        ("options[0][value]", "1"),
        ("options[1][name]", "limitnumber"),
        ("options[1][value]", "5"),
    ]


leaves = st.integers() | st.text()
trees = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner), max_leaves=8
)


@given(arguments=st.dictionaries(st.text("xyz", min_size=1), trees))
def test_every_leaf_of_the_arguments_is_sent_once(arguments):
    def count(value):
        if isinstance(value, dict):
            return sum(count(one) for one in value.values())
        return sum(count(one) for one in value) if isinstance(value, list) else 1

    pairs = flattened(arguments)

    assert len(pairs) == count(arguments)
    assert len({name for name, _ in pairs}) == len(pairs)


@pytest.mark.parametrize(
    ("name", "kind", "cause"),
    [
        ("error_invalid_token", Unauthorized, "invalidtoken"),
        ("error_no_rights", Unauthorized, "requireloginerror"),
        ("error_unknown_course", Gone, "invalidrecord"),
        ("error_unknown_function", Gone, "invalidrecord"),
        ("error_invalid_parameter", GiveUp, "invalidparameter"),
    ],
)
def test_a_recorded_error_says_what_to_do(lms, name, kind, cause):
    lms.on("POST", REST, answer_json(recorded(name)))

    with pytest.raises(kind) as caught:
        build(lms).call("f", {}, list)

    assert type(caught.value) is kind
    assert caught.value.cause == cause


@pytest.mark.parametrize(
    ("errorcode", "kind"),
    [
        ("accessexception", Unauthorized),
        ("errorcoursecontextnotvalid", Unauthorized),
        ("nopermissions", Unauthorized),
        ("wsaccessusersuspended", Unauthorized),
        ("sitemaintenance", RetryLater),
        ("upgraderunning", RetryLater),
        ("dmlreadexception", RetryLater),
        ("invalidrecord", Gone),
        ("somethingnew", GiveUp),
    ],
)
def test_an_error_is_known_by_its_code_alone(errorcode, kind):
    error = failure_of("Northside", "f", errorcode)

    assert type(error) is kind
    assert (error.cause, error.platform) == (errorcode, "Northside")
    assert "Northside" in str(error)


def test_an_unknown_error_names_its_code():
    assert "somethingnew" in str(failure_of("M", "f", "somethingnew"))


def test_web_services_that_are_switched_off_are_told(lms):
    lms.on("POST", REST, Response(b"", status=403))

    with pytest.raises(Unauthorized) as caught:
        build(lms).call("f", {}, list)

    assert caught.value.cause == "webservices_off"


def test_maintenance_is_for_later(lms):
    lms.on("POST", REST, Response(b"<html>", status=503))

    with pytest.raises(RetryLater) as caught:
        build(lms).call("f", {}, list)

    assert caught.value.cause == "maintenance"


def test_feedback_that_speaks_of_an_errorcode_is_no_error(lms):
    lms.on("POST", REST, answer_json({"feedback": 'he wrote "errorcode"', "errorcode": ""}))

    assert build(lms).call("f", {}, dict)["feedback"] == 'he wrote "errorcode"'


def test_without_a_token_nothing_is_asked(lms):
    with pytest.raises(Unauthorized) as caught:
        build(lms, api_token="").call("f", {}, list)

    assert caught.value.cause == "no_token"
    assert lms.seen == []


def test_what_a_service_offers_is_asked_once(lms):
    lms.on("POST", REST, answer_json({"functions": [{"name": "a", "version": "1"}]}))
    service = build(lms)

    assert service.offers("a")
    assert not service.offers("b")
    assert len(lms.seen) == 1


def test_a_service_that_may_not_list_its_functions_offers_nothing_more(lms):
    refusal = {"exception": "webservice_access_exception", "errorcode": "accessexception"}
    lms.on("POST", REST, answer_json(refusal))

    assert not build(lms).offers("a")


@pytest.mark.parametrize(("way", "sent"), [("call", 2), ("write", 1)])
def test_what_changes_something_is_sent_once_and_what_asks_again(lms, way, sent):
    answers = iter([Response("", status=502), answer_json({})])
    lms.on("POST", REST, lambda _: next(answers))

    with suppress(RetryLater):
        getattr(build(lms), way)("some_function", {}, dict)

    assert len(lms.seen) == sent
