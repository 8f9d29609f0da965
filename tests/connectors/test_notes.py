from connectors.notes import Notes


def test_each_cause_is_noted_once_and_in_the_order_of_the_first():
    notes = Notes()

    notes.add("b", "first")
    notes.add("a", "other")
    notes.add("b", "second")

    assert [(one.cause, one.message) for one in notes.all] == [("b", "first"), ("a", "other")]


def test_it_is_known_what_was_noted():
    notes = Notes()

    notes.add("a", "message")

    assert notes.has("a")
    assert not notes.has("b")
