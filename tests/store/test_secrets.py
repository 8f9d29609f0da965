"""What is sealed, opened and sealed anew."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.secrets import SealBroken, SecretBox

PRESENT, FORMER, OLDEST = (name * 8 for name in ("now_", "was_", "old_"))


@given(st.text())
def test_what_was_sealed_opens_as_it_was(text):
    box = SecretBox(PRESENT)

    assert box.open(box.seal(text)) == text


@pytest.mark.parametrize("before", [FORMER, OLDEST])
def test_what_was_sealed_under_a_former_key_opens_as_long_as_that_is_given(before):
    sealed = SecretBox(before).seal("token")

    assert SecretBox(PRESENT, [FORMER, OLDEST]).open(sealed) == "token"
    with pytest.raises(SealBroken, match="WAYMARK_FORMER_SECRET_KEYS"):
        SecretBox(PRESENT).open(sealed)


def test_what_is_sealed_now_is_sealed_with_the_present_key():
    sealed = SecretBox(PRESENT, [FORMER]).seal("token")

    assert SecretBox(PRESENT).open(sealed) == "token"
    with pytest.raises(SealBroken):
        SecretBox(FORMER).open(sealed)


def test_what_is_sealed_anew_needs_no_former_key_and_what_cannot_be_opened_is_left_out():
    sealed = {
        "now": SecretBox(PRESENT).seal("one"),
        "former": SecretBox(FORMER).seal("two"),
        "lost": SecretBox(OLDEST).seal("three"),
    }

    anew = SecretBox(PRESENT, [FORMER]).reseal(sealed)

    opened = {name: SecretBox(PRESENT).open(text) for name, text in anew.items()}
    assert opened == {"now": "one", "former": "two"}


def test_a_sealed_text_that_was_changed_does_not_open():
    sealed = SecretBox(PRESENT).seal("token")

    with pytest.raises(SealBroken):
        SecretBox(PRESENT).open(sealed[:-4] + "AAA=")
