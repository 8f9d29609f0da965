from pathlib import Path

import pytest

import mapping
from mapping.scales import display
from mapping.status import Status, label_in
from mapping.wording import ENGLISH, Figure, Plural, Translator, marked, sentence, templates
from tests.mapping.trees import SHOUTING

SPANISH = Translator(
    one={"Open until {day}.": "Abierto hasta {day}."}.get,
    many=lambda *form: "una pieza" if form[-1] == 1 else "{count} piezas",
)


COMMAS = Translator(one=str, many=ENGLISH.many, mark=",")


def saying(template):
    return Translator(one=lambda _: template, many=lambda *_: template)


def test_english_says_a_template_with_its_values():
    assert ENGLISH.say("Open until {day}.", day="Monday") == "Open until Monday."


def test_english_counts_in_the_form_of_the_number():
    said = [ENGLISH.count("{count} piece{end}", "{count} pieces{end}", n, end=".") for n in (1, 2)]

    assert said == ["1 piece.", "2 pieces."]


def test_another_language_says_it_in_its_own_words():
    assert SPANISH.say("Open until {day}.", day="lunes") == "Abierto hasta lunes."


def test_another_language_chooses_its_own_form_for_a_number():
    said = [SPANISH.count("{count} piece", "{count} pieces", number) for number in (1, 5)]

    assert said == ["una pieza", "5 piezas"]


@pytest.mark.parametrize("broken", ["hasta {dia}", "hasta {0}", "hasta {day", "hasta {day.year}"])
def test_a_broken_translation_gives_way_to_english(broken):
    assert saying(broken).say("Open until {day}.", day="Monday") == "Open until Monday."


def test_a_broken_translation_of_a_number_gives_way_to_the_right_english_form():
    assert saying("{cuantas}").count("{count} piece", "{count} pieces", 2) == "2 pieces"


def test_what_is_put_in_is_not_taken_for_a_template():
    assert ENGLISH.say("About {title}.", title="{day}") == "About {day}."


def test_a_plural_kept_in_a_table_is_said_later():
    form = Plural("{count} piece", "{count} pieces")

    assert ENGLISH.count(*form, 3) == "3 pieces"


def test_a_marked_template_is_itself():
    assert SHOUTING.say(marked("the {scale}"), scale="x") == "THE x"


def test_a_clause_becomes_a_sentence():
    assert sentence("it counts") == "It counts."


def test_nothing_to_say_is_but_a_full_stop():
    assert sentence("") == "."


def test_every_form_of_saying_a_literal_is_found_in_source():
    source = """
words.say("one {a}", a=1)
self.words.count("two", "twos", 2, b=3)
TABLE = {1: Plural("three", "threes"), 2: marked("four")}
"""

    assert set(templates(source)) == {("one {a}",), ("two", "twos"), ("three", "threes"), ("four",)}


def test_what_is_no_literal_or_counts_something_else_is_not_found():
    source = 'words.say(label); words.count(*form, 2); "a,b".count("a"); make()("x"); say("a", "b")'

    assert templates(source) == ()


def test_no_template_of_the_core_leaves_its_form_to_another_language_in_vain():
    folder = Path(mapping.__file__).parent

    found = {text for path in folder.rglob("*.py") for text in templates(path.read_text("utf-8"))}

    assert len(found) > 40
    assert all("{count}" in plural for _, plural in (t for t in found if len(t) == 2))


def test_a_number_gets_the_mark_of_the_language_where_it_is_put_in():
    assert COMMAS.say("It is {estimate}.", estimate=display(2.5)) == "It is 2,50."
    assert ENGLISH.say("It is {estimate}.", estimate=display(2.5)) == "It is 2.50."


def test_what_is_no_number_keeps_its_points():
    said = COMMAS.say("{code}: {title}", code="MP.1.2", title="Quiz 1.5, 2.5")

    assert said == "MP.1.2: Quiz 1.5, 2.5"


def test_a_broken_translation_gives_way_to_english_with_the_numbers_of_the_language():
    broken = Translator(one=lambda _: "{none}", many=ENGLISH.many, mark=",")

    assert broken.say("It is {estimate}.", estimate=Figure("2.5")) == "It is 2,5."


def test_numbers_of_a_calculation_are_kept_apart_where_commas_are_in_them():
    assert COMMAS.figures("The middle one of 1.00, 2.50, 4.00: 2.50") == (
        "The middle one of 1,00; 2,50; 4,00: 2,50"
    )


def test_another_mark_needs_no_other_sign_between_numbers():
    arabic = Translator(one=str, many=ENGLISH.many, mark="\N{ARABIC DECIMAL SEPARATOR}")

    assert arabic.figures("1.00, 2.50").count(", ") == 1
    assert "." not in arabic.figures("1.00, 2.50")


def test_our_own_labels_are_translated_and_a_districts_are_not():
    assert label_in(SHOUTING, Status.MASTERED.label) == "MASTERED"
    assert label_in(SHOUTING, "Proficient") == "PROFICIENT"
    assert label_in(SHOUTING, "{Secure}") == "{Secure}"
