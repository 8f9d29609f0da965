"""A district's words in sentences of ours."""

from dataclasses import replace

import pytest

from mapping.explanation.voice import Voice
from mapping.rules.strands import Rollup
from mapping.status import Status, label_in
from mapping.terms import USUAL, USUAL_TERMS, Forms, Term, Terms, unkind_words
from mapping.wording import DEFAULT_TERMS, ENGLISH

THEMES = Terms(
    own={Term.STRAND: Forms(one="area", many="areas")}, labels={Status.MASTERED: "Secure"}
)


def test_sentences_have_the_districts_words_with_their_articles():
    words = replace(ENGLISH, terms=THEMES.values)

    assert Rollup().sentence(words).startswith("An area is Secure when every one of its comp")
    assert words.say("{Areas}", Areas="given") == "given"
    assert Voice(words=words).words.label("Mastered") == "Secure"


def test_what_a_district_has_no_word_for_is_said_as_usual():
    words = replace(ENGLISH, terms=THEMES.values)

    assert words.say("{a_competency}, {Competencies}") == "a competency, Competencies"
    assert words.label("Not sustained") == "Not sustained"
    assert words.label("Approaching") == "Approaching"
    assert USUAL_TERMS.values is DEFAULT_TERMS


def test_there_are_as_many_placeholders_with_words_of_ones_own():
    own = Terms(own=dict(USUAL))

    assert own.values == DEFAULT_TERMS


def test_pages_ask_for_words_by_their_placeholders():
    names = ("a_strand", "Strands", "Mastered")

    assert [THEMES.values[name] for name in names] == ["an area", "Areas", "Secure"]


FRENCH = {
    "competency": "compétence",
    "A strand": "Un axe",
    "Mastered": "Acquise",
    "a {word}": "{word}",
    "A {word}": "Chaque {word}",
}
SPOKEN = replace(ENGLISH, one=lambda template: FRENCH.get(template, template))


def test_in_another_language_ours_are_translated_and_a_districts_stand_as_it_wrote_them():
    usual, own = USUAL_TERMS.values_in(SPOKEN), THEMES.values_in(SPOKEN)

    assert (usual["competency"], usual["A_strand"]) == ("compétence", "Un axe")
    assert (own["competency"], own["Strands"]) == ("compétence", "Areas")
    assert (own["A_strand"], own["a_strand"], own["Mastered"]) == ("Chaque area", "area", "Secure")
    assert usual.keys() == own.keys() == DEFAULT_TERMS.keys()


def test_a_status_is_said_in_the_language_unless_the_district_has_a_word_for_it():
    words = replace(SPOKEN, terms=THEMES.values_in(SPOKEN))

    assert label_in(words, "Mastered") == "Secure"
    assert label_in(replace(SPOKEN, terms=USUAL_TERMS.values_in(SPOKEN)), "Mastered") == "Acquise"


def test_a_level_of_the_district_that_is_called_as_a_term_keeps_its_name():
    words = replace(ENGLISH, terms=THEMES.values)

    assert label_in(words, "Strand") == "Strand"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Falling behind; failing", ("behind", "failing")),
        ("Not yet there", ()),
        ("Fail fail", ("Fail", "fail")),
    ],
)
def test_words_that_tell_learners_what_they_are_not_are_found(text, found):
    assert unkind_words(text) == found
