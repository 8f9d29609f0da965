"""In which language a page speaks: the LMS's own, else one that the browser asks for, else English.

A language is there when it has a catalog; nothing else names them. Texts are written in English
where they are used, ``{% trans %}`` in templates and ``words().say("...")`` in Python, and
``scripts/messages`` gathers them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from babel import Locale, UnknownLocaleError
from babel.numbers import get_decimal_symbol
from flask import Flask, current_app, g, has_request_context, request
from flask_babel import Babel, get_locale, get_translations, refresh

from lti_tool.called import terms
from mapping import wording

ENGLISH = Locale("en")
_EXTENSION = "waymark_languages"
_CATALOGS = "translations"
_TRANSLATED = frozenset(
    {
        "front",
        "launch",
        "home",
        "learner",
        "judgements",
        "teacher",
        "refreshing",
        "family",
        "choose",
        "mastery",
        "mastery_for_everybody",
    }
)
"""The blueprints whose pages have translations; all others are in English from end to end."""

# BCP 47, and what LMSs make of it: pt-BR, pt_br, es_mx_kids.
_TAG = re.compile(r"(?P<language>[a-z]{2,3})(?:[-_](?P<region>[a-z]{2}|[0-9]{3}))?(?:[-_].*)?")
_LONGEST_TAG = 35


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """What a page says of its language: ``tag`` is for ``lang``, ``direction`` for ``dir``."""

    tag: str
    direction: str


def register(app: Flask, catalogs: str = _CATALOGS) -> None:
    """Give the templates their languages.

    Args:
        app: The application.
        catalogs: The folder with a catalog for each language, absolute or below the package.
    """
    babel = Babel(configure_jinja=False)
    babel.init_app(app, locale_selector=_selected, default_translation_directories=catalogs)
    with app.app_context():
        found = babel.list_translations()
    app.extensions[_EXTENSION] = tuple(one for one in found if one != ENGLISH)
    app.jinja_env.globals["page_language"] = language
    app.jinja_env.add_extension("jinja2.ext.i18n")
    # Not Flask-Babel's own: they look for the catalog anew for every text.
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined] # the extension's own
        gettext=lambda text: words().one(text),
        ngettext=lambda one, many, number: words().many(one, many, number),
        newstyle=True,
    )


def told_by_the_lms(tag: str) -> None:
    """Let this response be in the language that the launch named; empty for none."""
    g.locale_of_launch = tag
    _choose_anew()


def speak() -> None:
    """Let this response be in the person's language, also where its page has no translation."""
    g.speaks = True
    _choose_anew()


def _choose_anew() -> None:
    g.pop("words", None)
    refresh()


def locale() -> Locale:
    """The locale of this response; English where there is none."""
    found = get_locale() if has_request_context() else None
    return found or ENGLISH


def language() -> Language:
    """What the page of this response says of its language."""
    found = locale()
    return Language(tag=str(found).replace("_", "-"), direction=found.text_direction)


def words() -> wording.Translator:
    """Whoever says templates in the language of this response."""
    if not has_request_context():
        return wording.ENGLISH
    if "words" not in g:
        g.words = _words(locale())
    found: wording.Translator = g.words
    return found


def _words(at: Locale) -> wording.Translator:
    if at == ENGLISH:
        return replace(wording.ENGLISH, terms=terms().values)
    found = get_translations()
    said = wording.Translator(
        # A catalog's empty text is its own head.
        one=lambda template: found.ugettext(template) if template else "",
        many=found.ungettext,
        mark=get_decimal_symbol(at),
    )
    return replace(said, terms=terms().values_in(said))


def _selected() -> Locale:
    if not g.get("speaks", request.blueprint in _TRANSLATED):
        return ENGLISH
    asked = (g.get("locale_of_launch", ""), *request.accept_languages.values())
    return chosen(asked, current_app.extensions[_EXTENSION])


def chosen(tags: Iterable[str], available: Iterable[Locale]) -> Locale:
    """The first language that is there.

    Args:
        tags: As LMSs and browsers write them, the most wanted first.
        available: Those that have catalogs, besides English.

    Returns:
        With the region that was asked for, whose dates and numbers it has; English is one.
    """
    by_language = {one.language: one for one in available}
    for tag in tags:
        match = _TAG.fullmatch(tag.lower()) if len(tag) <= _LONGEST_TAG else None
        if match and match["language"] == ENGLISH.language:
            return ENGLISH
        if match and match["language"] in by_language:
            return _in_region(by_language[match["language"]], match["region"] or "")
    return ENGLISH


def _in_region(catalog: Locale, region: str) -> Locale:
    """A catalog that is a region's own is taken as it is by everybody."""
    if catalog.territory or not region:
        return catalog
    try:
        return Locale(catalog.language, region.upper())
    except UnknownLocaleError:
        return catalog
