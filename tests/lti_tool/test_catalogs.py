"""Every language says everything, and what is compiled is what was written."""

import re

import pytest

from tests.catalogs import messages

LANGUAGES = sorted(one.name for one in messages.CATALOGS.iterdir() if one.is_dir())
_PLACEHOLDER = re.compile(r"%\([a-z_]+\)s|\{[A-Za-z_]+\}")
_TAG = re.compile(r"</?[a-z]+")


@pytest.fixture(scope="module")
def gathered():
    return messages.gathered()


@pytest.fixture(params=LANGUAGES)
def path(request):
    return messages.CATALOGS / request.param / "LC_MESSAGES" / "messages.po"


@pytest.fixture
def catalog(path):
    return messages.read(path)


def _forms(text):
    return text if isinstance(text, tuple) else (text,)


def test_spanish_and_portuguese_are_there():
    assert {"es", "pt_BR"} <= set(LANGUAGES)


def test_everything_that_pages_say_is_gathered(gathered):
    said = {_forms(one.id)[0] for one in gathered if one.id}

    assert {
        "My progress",
        "{what} would reach {goal}.",
        "weighted average",
        "Mastered",
        "There is nothing here",
    } <= said


def test_a_catalog_holds_what_pages_say_and_nothing_else(path, catalog, gathered):
    catalog.update(gathered)

    assert messages.written(catalog) == path.read_bytes(), "run: make messages"


def test_everything_is_translated(catalog):
    lacking = [one.id for one in catalog if one.id and (one.fuzzy or not messages.is_said(one))]

    assert lacking == []


def _names(text, *left_out):
    return frozenset(_PLACEHOLDER.findall(text)) - frozenset(left_out)


def test_a_translation_names_what_the_english_text_names(catalog):
    odd = [
        one.string
        for one in catalog
        if one.id
        and isinstance(one.id, str)
        and sorted(_PLACEHOLDER.findall(one.string)) != sorted(_PLACEHOLDER.findall(one.id))
    ]

    assert odd == []


def test_every_form_for_a_number_names_what_the_english_ones_name(catalog):
    counts = ("{count}", "%(count)s")
    counted = [one for one in catalog if isinstance(one.id, tuple)]

    assert len(counted) > 40
    # "One more" says its number in words.
    for one in counted:
        assert _names(one.string[0], *counts) == _names(one.id[0], *counts)
        assert {_names(form) for form in one.string[1:]} == {_names(one.id[1])}


def test_a_translation_has_the_tags_of_the_english_text_and_fits_into_an_attribute(catalog):
    odd = [
        said
        for one in catalog
        if one.id
        for said in _forms(one.string)
        if sorted(_TAG.findall(said)) != sorted(_TAG.findall(_forms(one.id)[0]))
        or ('"' in re.sub(r"<[^>]*>", "", said))
    ]

    assert odd == []


def test_what_is_compiled_is_what_was_written(path, catalog):
    compiled = path.with_suffix(".mo").read_bytes()

    assert compiled == messages.compiled(catalog), "run: make messages"
