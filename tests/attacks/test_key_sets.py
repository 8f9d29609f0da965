"""The platforms' key sets failing, changing and lying: contracts/lti.md 4.K and 4.J."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.attacks.verdict import assert_accepted, assert_refused
from tests.lti_tool.platform import JWKS_URL, b64, jwk, launch


@pytest.fixture
def stage(fresh_stage):
    """A stage of its own: these tests are about what it has cached."""
    return fresh_stage


def publish(stage, *entries):
    stage.key_sets.answers[JWKS_URL] = {"keys": list(entries)}


def test_k01_a_new_key_is_found_by_asking_once_more(stage, signing_keys):
    assert_accepted(stage, launch(stage.browser(), stage.lms))
    publish(stage, jwk(signing_keys["k1"], "k1"), jwk(signing_keys["other"], "k2"))
    stage.clock.pass_time(minutes=2)
    stage.lms.key, stage.lms.kid = signing_keys["other"], "k2"

    assert_accepted(stage, launch(stage.browser(), stage.lms))

    assert len(stage.key_sets.fetches) == 2


def test_k02_a_new_key_under_the_old_id_is_found_by_asking_once_more(stage, signing_keys):
    assert_accepted(stage, launch(stage.browser(), stage.lms))
    publish(stage, jwk(signing_keys["other"], "k1"))
    stage.clock.pass_time(minutes=2)
    stage.lms.key = signing_keys["other"]

    assert_accepted(stage, launch(stage.browser(), stage.lms))


@pytest.mark.parametrize(
    "answer",
    [
        OSError("refused"),
        TimeoutError("slow"),
        ValueError("<html>"),
        "<html>",
        [],
        {},
        {"keys": []},
        {"keys": None},
        {"keys": {"k1": {}}},
        {"error": "down"},
    ],
    ids=str,
)
def test_k03_a_failure_is_told_and_not_kept(stage, signing_keys, answer):
    stage.key_sets.answers[JWKS_URL] = answer

    response = launch(stage.browser(), stage.lms)

    assert response.status_code == 502
    assert "cannot be reached" in response.text
    assert stage.keys("waymark:launch:*") == []
    publish(stage, jwk(signing_keys["k1"], "k1"))
    assert_accepted(stage, launch(stage.browser(), stage.lms))


def test_k04_known_keys_serve_for_a_day_after_their_time_while_the_platform_is_down(stage):
    assert_accepted(stage, launch(stage.browser(), stage.lms))
    stage.key_sets.answers[JWKS_URL] = OSError("down")

    stage.clock.pass_time(hours=24)
    assert_accepted(stage, launch(stage.browser(), stage.lms))

    stage.clock.pass_time(hours=2)
    assert launch(stage.browser(), stage.lms).status_code == 502


def test_k08_unknown_ids_make_waymark_ask_once_a_minute_at_most(stage):
    assert_accepted(stage, launch(stage.browser(), stage.lms))
    stage.clock.pass_time(minutes=2)
    stage.lms.kid = "k9"

    for _ in range(5):
        response = launch(stage.browser(), stage.lms)
        assert 400 <= response.status_code < 500

    assert len(stage.key_sets.fetches) == 2


def test_k10_ten_launches_ask_once(stage):
    for _ in range(10):
        assert_accepted(stage, launch(stage.browser(), stage.lms))

    assert len(stage.key_sets.fetches) == 1


@pytest.mark.parametrize(
    ("max_age_seconds", "minutes_kept"),
    [(None, 60), (0, 5), (-5, 5), (1200, 20), (10**9, 24 * 60)],
)
def test_k11_a_key_set_is_kept_as_long_as_it_says_within_bounds(
    stage, max_age_seconds, minutes_kept
):
    stage.key_sets.max_age_seconds = max_age_seconds
    assert_accepted(stage, launch(stage.browser(), stage.lms))

    stage.clock.pass_time(minutes=minutes_kept, seconds=-1)
    launch(stage.browser(), stage.lms)
    before = len(stage.key_sets.fetches)
    stage.clock.pass_time(seconds=1)
    launch(stage.browser(), stage.lms)

    assert (before, len(stage.key_sets.fetches)) == (1, 2)


def test_k15_launches_at_once_ask_once(stage):
    stage.key_sets.delay_seconds = 0.2

    with ThreadPoolExecutor(10) as pool:
        responses = list(pool.map(lambda _: launch(stage.browser(), stage.lms), range(10)))

    assert [response.status_code for response in responses] == [303] * 10
    assert len(stage.key_sets.fetches) == 1


def test_launches_waiting_for_one_failing_question_all_fail_with_it(stage):
    stage.key_sets.delay_seconds = 0.3
    stage.key_sets.answers[JWKS_URL] = OSError("down")

    with ThreadPoolExecutor(6) as pool:
        responses = list(pool.map(lambda _: launch(stage.browser(), stage.lms), range(6)))

    assert [response.status_code for response in responses] == [502] * 6
    assert len(stage.key_sets.fetches) < 6


def test_j31_a_key_without_algorithm_and_use_is_taken(stage, signing_keys):
    publish(stage, jwk(signing_keys["k1"], "k1", alg=None, use=None))

    assert_accepted(stage, launch(stage.browser(), stage.lms))


def test_j35_of_two_keys_under_one_id_the_right_one_is_found(stage, signing_keys):
    publish(stage, jwk(signing_keys["attacker"], "k1"), jwk(signing_keys["k1"], "k1"))

    assert_accepted(stage, launch(stage.browser(), stage.lms))


def test_j36_entries_of_other_kinds_are_skipped(stage, signing_keys):
    publish(
        stage,
        {"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": "AA"},
        {"kty": "EC", "crv": "P-256", "kid": "k1", "x": "AA", "y": "AA"},
        {"kty": "RSA", "kid": "k1"},
        {"kty": "RSA", "kid": "k1", "n": "!", "e": "AQAB"},
        {"kty": "RSA", "kid": "k1", "n": 5, "e": None},
        {"kty": "RSA", "kid": ["k1"], "n": "AA", "e": "AQAB"},
        None,
        "k1",
        jwk(signing_keys["k1"], "k1"),
    )

    assert_accepted(stage, launch(stage.browser(), stage.lms))


def test_k19_private_members_are_not_looked_at(stage, signing_keys):
    publish(stage, jwk(signing_keys["k1"], "k1", d="AA", p="AA", q="AA"))

    assert_accepted(stage, launch(stage.browser(), stage.lms))


@pytest.mark.parametrize(
    "change",
    [{"use": "enc"}, {"alg": "RS512"}, {"alg": "ES256"}, {"n": b64(b"\xc3" * 128)}],
    ids=["J32 for encryption", "other algorithm", "J30 other kind", "1024 bits"],
)
def test_a_key_for_something_else_confirms_nothing(stage, signing_keys, change):
    publish(stage, jwk(signing_keys["k1"], "k1", **change))

    assert_refused(stage, launch(stage.browser(), stage.lms))


def test_j33_a_symmetric_key_in_the_set_confirms_nothing(stage):
    publish(stage, {"kty": "oct", "kid": "k1", "k": b64(b"secret")})

    assert_refused(stage, launch(stage.browser(), stage.lms))


def test_more_than_a_hundred_keys_are_no_key_set(stage, signing_keys):
    publish(stage, *[jwk(signing_keys["k1"], f"k{number}") for number in range(101)])

    assert launch(stage.browser(), stage.lms).status_code == 502


def test_one_platforms_failure_is_its_own(stage):
    stage.key_sets.answers[JWKS_URL] = OSError("down")

    assert launch(stage.browser(), stage.lms).status_code == 502
    assert_accepted(stage, launch(stage.browser(), stage.other_issuer))


def test_no_key_set_is_printed_on_a_page(stage):
    stage.key_sets.answers[JWKS_URL] = ValueError(json.dumps({"secret": "from the platform"}))

    assert "from the platform" not in launch(stage.browser(), stage.lms).text
