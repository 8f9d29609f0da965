"""Tokens of the API: made once, shown once, ended and revoked; answers that are given twice."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from store import api_answers, api_tokens
from store.api_answers import Answered, Asked
from store.api_tokens import LONGEST, Scope, TokenRefused
from store.policy_changes import Author, PolicyKind, changes_of
from store.tables import api_tokens as table
from tests.store import places
from tests.store.places import NOW

ADA = Author(by="Ada", at=NOW, reason="For the data team.")
WEEK = timedelta(days=7)


def make(db, district, name="export", **more):
    chosen = {"scopes": {Scope.READ}, "good_for": WEEK, "author": ADA, **more}
    return api_tokens.make_token(db, district, name, **chosen)


def test_a_token_opens_what_it_was_made_for(db, district):
    token = make(db, district, scopes={Scope.READ, Scope.PEOPLE})

    found = api_tokens.token_shown(db, token, now=NOW)

    assert found.tenant == district
    assert found.scopes == {Scope.READ, Scope.PEOPLE}
    assert (found.name, found.made_by) == ("export", "Ada")


def test_the_token_itself_is_not_kept(db, district):
    token = make(db, district)

    kept = db.execute(select(table)).mappings().one()

    assert all(token not in str(value) for value in kept.values())


def test_a_token_ends(db, district):
    token = make(db, district)

    assert api_tokens.token_shown(db, token, now=NOW + WEEK) is None
    assert api_tokens.token_shown(db, token, now=NOW + WEEK - timedelta(seconds=1)) is not None


def test_a_revoked_token_opens_nothing(db, district):
    token, other = make(db, district), make(db, district, "other")

    assert api_tokens.revoke_token(db, district, "export", author=ADA)

    assert api_tokens.token_shown(db, token, now=NOW) is None
    assert api_tokens.token_shown(db, other, now=NOW) is not None


def test_another_districts_token_cannot_be_revoked(db, district):
    token = make(db, district)

    assert not api_tokens.revoke_token(db, places.new_tenant(db, "Another"), "export", author=ADA)

    assert api_tokens.token_shown(db, token, now=NOW) is not None


@pytest.mark.parametrize("shown", ["", "wmk_", "wmk_guessed", "Bearer", "wmk_\ud800"])
def test_any_other_text_opens_nothing(db, district, shown):
    make(db, district)

    assert api_tokens.token_shown(db, shown, now=NOW) is None


def test_a_name_is_taken_while_its_token_is_good(db, district):
    make(db, district)

    with pytest.raises(TokenRefused, match="already"):
        make(db, district)
    api_tokens.revoke_token(db, district, "export", author=ADA)
    assert make(db, district)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "  "},
        {"name": "n" * 256},
        {"scopes": set()},
        {"good_for": timedelta()},
        {"good_for": LONGEST + timedelta(seconds=1)},
    ],
)
def test_a_token_without_name_scope_or_end_is_refused(db, district, wrong):
    with pytest.raises(TokenRefused):
        make(db, district, **wrong)


def test_making_and_revoking_stand_in_the_trail(db, district):
    make(db, district)
    api_tokens.revoke_token(db, district, "export", author=ADA)

    found = [
        (one.kind, one.subject, one.before, one.after, one.by, one.reason)
        for one in changes_of(db, district)
    ]

    why = ("Ada", "For the data team.")
    assert found == [
        (PolicyKind.ACCESS, "export", "read", "revoked", *why),
        (PolicyKind.ACCESS, "export", "", "read", *why),
    ]


def test_use_is_noted_once_an_hour(db, district):
    token = make(db, district)
    first = api_tokens.token_shown(db, token, now=NOW)
    assert api_tokens.is_use_due(first, NOW)

    api_tokens.note_use(db, first, now=NOW)

    then = api_tokens.token_shown(db, token, now=NOW)
    assert not api_tokens.is_use_due(then, NOW + timedelta(minutes=59))
    assert api_tokens.is_use_due(then, NOW + timedelta(minutes=60))


@pytest.fixture
def asked(db, district):
    token = api_tokens.token_shown(db, make(db, district), now=NOW)
    return Asked(token=token.id, key="k", request="r" * 64)


def test_a_request_is_answered_twice_and_done_once(db, asked):
    assert api_answers.begin(db, asked, now=NOW) is None
    api_answers.keep(db, asked, Answered(status=202, body="{}"))

    assert api_answers.begin(db, asked, now=NOW) == Answered(status=202, body="{}")


def test_a_key_is_good_for_one_request(db, asked):
    api_answers.begin(db, asked, now=NOW)

    with pytest.raises(api_answers.KeyOfAnother):
        api_answers.begin(db, Asked(token=asked.token, key="k", request="s" * 64), now=NOW)


def test_a_request_under_way_is_not_begun_again(db, asked):
    api_answers.begin(db, asked, now=NOW)

    with pytest.raises(api_answers.StillWorkedOn):
        api_answers.begin(db, asked, now=NOW + timedelta(minutes=1))


def test_a_request_whose_process_died_is_begun_again(db, asked):
    api_answers.begin(db, asked, now=NOW)

    assert api_answers.begin(db, asked, now=NOW + timedelta(minutes=2)) is None


def test_a_request_that_came_to_nothing_may_be_sent_again(db, asked):
    api_answers.begin(db, asked, now=NOW)
    api_answers.forget(db, asked)

    assert api_answers.begin(db, asked, now=NOW) is None


def test_keys_are_forgotten_after_three_days(db, asked):
    api_answers.begin(db, asked, now=NOW)
    api_answers.keep(db, asked, Answered(status=202, body="{}"))

    assert api_answers.begin(db, asked, now=NOW + timedelta(days=3, seconds=1)) is None
