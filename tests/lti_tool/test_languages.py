"""Pages speak the language of whoever looks at them."""

import re
from dataclasses import replace
from html import unescape

import pytest
from babel import Locale
from babel.messages.mofile import write_mo
from sqlalchemy import update

from lti_tool import create_app, languages
from lti_tool.languages import chosen
from store.session import writing
from store.tables import standings
from tests.catalogs import messages
from tests.lti_tool.classroom import ADMINISTRATOR, TEACHER, fill
from tests.lti_tool.test_pages import Visitor

SPANISH = {"launch_presentation": {"locale": "es"}}
AVAILABLE = (Locale("es"), Locale("pt", "BR"))


@pytest.fixture(scope="module")
def ids(shared_stage):
    """The classroom, in which Ada reached a level that somebody described or not."""
    ids = fill(shared_stage)
    with writing(shared_stage.container.engine) as connection:
        connection.execute(update(standings).values(level=3))
    return ids


@pytest.fixture
def stage(shared_stage):
    return shared_stage


@pytest.mark.parametrize(
    ("tags", "locale"),
    [
        (["es"], "es"),
        (["es-MX"], "es_MX"),
        (["es_mx_kids"], "es_MX"),
        (["es-QX"], "es"),
        (["pt-PT"], "pt_BR"),
        (["PT_br"], "pt_BR"),
        (["fr", "es"], "es"),
        (["en-GB", "es"], "en"),
        (["*", "", "<es>", "es" * 40], "en"),
    ],
)
def test_the_first_language_with_a_catalog_is_spoken(tags, locale):
    assert str(chosen(tags, AVAILABLE)) == locale


@pytest.mark.usefixtures("ids")
def test_a_learner_reads_their_page_in_the_language_of_the_lms(stage):
    visitor = Visitor(stage, **SPANISH)

    page, text = visitor.get().text, visitor.text()

    assert '<html lang="es">' in page
    assert "Mi progreso" in text
    assert "● Dominada" in text
    assert "Estimación 3,8 de 4" in text
    assert "2 evidencias" in text
    assert "A fecha de 19 nov 2026, 23:00 UTC-03." in text


@pytest.mark.usefixtures("ids")
def test_the_reasons_are_told_in_the_language_too(stage):
    text = unescape(Visitor(stage, launch_presentation={"locale": "pt_br"}).text())

    assert "Dominada quando o cálculo (média ponderada) com pelo menos 2 evidências dá 3,00" in text
    assert "17 de nov. de 2026 Quiz one" in text
    assert re.search(r"= 3,80\b", text)


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize(("told", "tag"), [("", "pt-BR"), ("fr", "pt-BR"), ("es-MX", "es-MX")])
def test_the_browser_is_asked_where_the_lms_names_no_language_that_is_there(stage, told, tag):
    visitor = Visitor(stage, launch_presentation={"locale": told})

    page = visitor.browser.get(visitor.landing, headers={"Accept-Language": "pt-BR,en;q=0.5"})

    assert f'<html lang="{tag}">' in page.text


@pytest.mark.usefixtures("ids")
def test_without_a_language_that_is_there_a_page_is_in_english(stage):
    visitor = Visitor(stage, launch_presentation={"locale": ["es"]}, locale="fr")

    page = visitor.browser.get(visitor.landing, headers={"Accept-Language": "fr, *"})

    assert '<html lang="en">' in page.text
    assert "My progress" in page.text


def test_a_teacher_reads_class_form_and_problems_in_their_language(stage, ids):
    teacher = Visitor(stage, **TEACHER, **SPANISH)
    address = f"{teacher.base}/learners/{ids.learner['Ada']}/judge/{ids.competency['N.1']}"

    table, form = teacher.text(), teacher.browser.get(address).text
    token = re.search(r'name="csrf" value="([^"]+)"', form)[1]
    refused = teacher.browser.post(address, data={"csrf": token, "act": "status"})

    assert "Leer esta clase ahora" in table
    assert "Sin evidencias" in table
    assert "Dar este estado" in form
    assert refused.status_code == 422
    assert "Elige el estado que das." in refused.text


@pytest.mark.usefixtures("ids")
def test_a_page_without_a_translation_says_that_it_is_in_english(stage):
    page = Visitor(stage, **ADMINISTRATOR, **SPANISH).get("runs").text

    assert '<html lang="en">' in page
    assert "Skip to the content" in page


@pytest.mark.usefixtures("ids")
def test_a_refusal_is_in_the_persons_language(stage):
    page = Visitor(stage, **SPANISH).get("runs")

    assert page.status_code == 403
    assert '<html lang="es">' in page.text
    assert "Esta página no es para tu rol" in page.text


def test_a_program_is_answered_in_english(stage):
    answer = stage.browser().get("/api/v1/nowhere", headers={"Accept-Language": "es"})

    assert answer.status_code == 404
    assert "This address does not exist" in answer.text


@pytest.mark.usefixtures("ids")
def test_what_a_district_calls_its_own_is_not_translated(stage):
    text = Visitor(stage, **SPANISH).text()

    assert "Statement of N.2" in text
    assert "Quiz one" in text


@pytest.fixture(scope="module")
def pseudo(shared_stage, tmp_path_factory):
    """The same application with one more language: Arabic that is English in brackets."""
    catalog = messages.gathered()
    catalog.locale = Locale("ar")
    for one in catalog:
        if one.id:
            forms = one.id if isinstance(one.id, tuple) else (one.id,)
            said = tuple(f"⟦{form}⟧" for form in forms)
            # Arabic has six forms for a number, English two.
            one.string = (said * 6)[1:7] if len(said) > 1 else said[0]
    catalogs = tmp_path_factory.mktemp("catalogs")
    folder = catalogs / "ar" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "messages.mo").open("wb") as file:
        write_mo(file, catalog)
    app = create_app(shared_stage.container, shared_stage.key_sets)
    languages.register(app, catalogs=str(catalogs))
    return replace(shared_stage, app=app)


# What the small school calls things, and what has no words of its own.
_DATA = re.compile(
    r"Waymark|Ada|Björn|Lovelace|<b>|(Mathematics|Biology) & <friends>|Quiz (one|two)"
    r"|Hidden quiz|Lab|(I can do|Statement of) [A-Z.0-9]+|Numbers?|UTC|[A-Z]\.[0-9]+"
)


def _unmarked(page):
    """What of a page's words came from no catalog."""
    # A reference number has letters, too.
    shown = re.sub(r"<(script|style|template|code)\b.*?</\1>", " ", page, flags=re.DOTALL)
    named = re.findall(r'\s(?:aria-label|title|placeholder|data-label)="([^"]*)"', shown)
    text = " ".join((unescape(re.sub(r"<[^>]+>", " ", shown)), *map(unescape, named)))
    while (inner := re.sub(r"⟦[^⟦⟧]*⟧", " ", text)) != text:
        text = inner
    return re.findall(r"[A-Za-z][A-Za-z ]*[a-z]{2,}", _DATA.sub(" ", text))


@pytest.mark.usefixtures("ids")
def test_a_language_read_from_right_to_left_needs_a_catalog_and_nothing_else(pseudo):
    page = Visitor(pseudo, launch_presentation={"locale": "ar"}).get().text

    assert '<html lang="ar" dir="rtl">' in page
    assert "⟦My progress⟧" in page


def test_no_words_of_a_learner_s_or_teacher_s_page_are_left_out_of_the_catalogs(pseudo, ids):
    who = {"launch_presentation": {"locale": "ar"}}
    learner, teacher = Visitor(pseudo, **who), Visitor(pseudo, **TEACHER, **who)
    ada = f"learners/{ids.learner['Ada']}"

    pages = {
        "me": learner.get(),
        "class": teacher.get(),
        "learner": teacher.get(ada),
        "judge": teacher.get(f"{ada}/judge/{ids.competency['N.1']}"),
        "welcome": learner.get("welcome"),
        "mastery": learner.get("mastery"),
        "refused": learner.get("runs"),
        "front": learner.browser.get("/", headers={"Accept-Language": "ar"}),
    }

    assert {name: found for name, page in pages.items() if (found := _unmarked(page.text))} == {}
