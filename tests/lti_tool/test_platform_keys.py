"""How key sets are asked for by many threads at once."""

from datetime import UTC, datetime
from threading import Event, Thread

import pytest

from lti_tool.launch.platform_keys import PlatformKeys
from lti_tool.launch.refusals import KeySetUnavailable
from tests.lti_tool.platform import jwk, new_key

URL = "https://lms.example/jwks"


class Clock:
    def __init__(self):
        self.at = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)

    def __call__(self):
        return self.at


class Platform:
    """Answers when it is told to."""

    def __init__(self, document):
        self.document = document
        self.asked, self.may_answer = Event(), Event()
        self.is_down = False
        self.count = 0

    def __call__(self, _url, /):
        self.count += 1
        self.asked.set()
        assert self.may_answer.wait(10)
        if self.is_down:
            raise OSError("down")
        return self.document, None


@pytest.fixture(scope="module")
def document():
    return {"keys": [jwk(new_key(), "k1")]}


@pytest.fixture
def clock():
    return Clock()


def ask(keys, found):
    try:
        found.append(len(keys.find(URL, "k1")))
    except KeySetUnavailable as error:
        found.append(error.reason)


def hang(platform, keys, found):
    """A thread that asks the platform, which does not answer yet."""
    platform.asked.clear()
    platform.may_answer.clear()
    thread = Thread(target=ask, args=(keys, found))
    thread.start()
    assert platform.asked.wait(10)
    return thread


def test_while_a_platform_fails_nobody_waits_for_the_one_who_asks(document, clock):
    platform = Platform(document)
    keys, first, second = PlatformKeys(platform, clock), [], []
    platform.is_down = True
    platform.may_answer.set()
    ask(keys, [])

    thread = hang(platform, keys, first)
    ask(keys, second)

    assert second == ["key_set_failing"]
    platform.is_down = False
    platform.may_answer.set()
    thread.join(10)
    assert first == [1]


def test_a_platform_that_answers_again_is_no_longer_failing(document, clock):
    platform = Platform(document)
    keys, found = PlatformKeys(platform, clock), []
    platform.is_down = True
    platform.may_answer.set()
    ask(keys, found)

    platform.is_down = False
    ask(keys, found)
    ask(keys, found)

    assert found == ["key_set_unavailable", 1, 1]
    assert platform.count == 2


def test_everybody_waits_for_the_first_question_to_a_platform(document, clock):
    platform = Platform(document)
    keys, first, second = PlatformKeys(platform, clock), [], []
    thread = hang(platform, keys, first)
    other = Thread(target=ask, args=(keys, second))
    other.start()

    platform.may_answer.set()
    thread.join(10)
    other.join(10)

    assert (first, second) == ([1], [1])
    assert platform.count == 1
