"""The ledger of a disturbed night sees what must not happen."""

from contextlib import closing

import pytest

from simulators.files import Addresses, write_all
from simulators.state import open_state
from tests.stories.chaos.ledger import Ledger, by_hand, overwritten, written_twice
from tests.stories.tiny import Plan, tiny_district

ADDRESSES = Addresses(canvas="http://c.example", moodle="http://m.example", tool="http://t")


@pytest.fixture
def ledger(tmp_path):
    write_all(tmp_path, tiny_district([Plan(name="one")]), addresses=ADDRESSES, seed=7)
    return Ledger.opened(tmp_path / "canvas.db", "canvas")


def write(ledger, words: str) -> None:
    """As the simulator does for a tool."""
    with closing(open_state(ledger.path)) as db, db:
        db.execute("INSERT OR REPLACE INTO column_data VALUES (1, 2, ?, 0)", (words,))


def write_by_hand(ledger, words: str) -> None:
    with closing(open_state(ledger.path)) as db, db:
        db.execute("UPDATE column_data SET content = ?", (words,))


def test_the_same_words_written_again_are_seen(ledger):
    for words in ("Emerging", "Mastered", "Mastered"):
        write(ledger, words)

    assert written_twice(ledger.writes()) == ["column 1 2 was told 'Mastered' twice"]


def test_words_that_come_back_after_others_were_not_written_twice(ledger):
    for words in ("Emerging", "Mastered", "Emerging"):
        write(ledger, words)

    assert written_twice(ledger.writes()) == []


def test_words_written_over_a_persons_are_seen(ledger):
    write(ledger, "Emerging")
    write_by_hand(ledger, "See me")
    write(ledger, "Mastered")

    assert overwritten(ledger.writes()) == [
        "column 1 2 said 'See me' by hand and was told 'Mastered'"
    ]


def test_what_a_person_wrote_last_is_known(ledger):
    write(ledger, "Emerging")
    write_by_hand(ledger, "See me")

    assert by_hand(ledger.writes()) == {"column 1 2": "See me"}
    assert ledger.cells() == {"column 1 2": ("See me", None)}
