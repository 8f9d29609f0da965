import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.demonstrability import vague_verb
from mapping.forests import depth_first


@pytest.mark.parametrize(
    ("statement", "language", "verb"),
    [
        ("Understand ratio concepts.", "en", "understand"),
        ("Students will understand that fractions are numbers", "en-US", "understand"),
        ("The student is able to know it", "en", "know"),
        ("Is aware of risks", "en", "is aware of"),
        ("Explain how people know the date", "en", ""),
        ("Knowingly breaks a rule", "en", ""),
        ("Compreender o Sistema", "pt_BR", "compreender"),
        ("Os alunos devem conhecer os planetas", "pt", "conhecer"),
        ("Reconhecer frações", "pt", ""),
        ("Comprender las fracciones", "es", "comprender"),
        ("Connaître les planètes", "fr", "connaître"),
        ("Understand", "de", ""),
        ("", "en", ""),
    ],
)
def test_a_verb_that_nobody_can_be_seen_to_do_is_found(statement, language, verb):
    assert vague_verb(statement, language) == verb


def test_a_list_of_ones_own_takes_the_place_of_the_usual_one():
    assert not vague_verb("Understand it", "en", {"en": ("explore",)})
    assert vague_verb("Explore it", "en", {"en": ("explore", "")}) == "explore"


_nodes = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from([*"abcdefghx", None]))


@given(_nodes)
def test_a_forest_has_everybody_once_below_their_parents_and_cuts_one_link_a_circle(nodes):
    found = depth_first(nodes.items())

    place = {name: at for at, name in enumerate(found.order)}
    kept = {name: parent for name, parent in nodes.items() if parent in nodes}
    assert sorted(found.order) == sorted(nodes)
    assert all(place[p] < place[n] for n, p in kept.items() if n not in found.cut)
    assert found.cut <= {name for name in kept if _is_in_circle(name, kept)}


def _is_in_circle(name, parents):
    above = parents.get(name)
    for _ in parents:
        if above == name:
            return True
        above = parents.get(above)
    return False


def test_a_line_of_many_thousands_is_no_hindrance():
    names = [str(number) for number in range(50_000)]

    found = depth_first(zip(names, [None, *names], strict=False))

    assert list(found.order) == names
