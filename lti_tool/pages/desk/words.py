"""Words of the district: what its terms and statuses are called, tried before they are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from flask import Blueprint, Response, make_response, render_template, request

from lti_tool.launch.services import services
from lti_tool.pages.administrators import (
    administrator,
    author_of,
    changing_administrator,
    to_page,
)
from lti_tool.pages.desk.mapping_forms import field_text
from lti_tool.wordings import WordRefused, settled, status_key
from mapping.rules.clauses import ChildrenMastered
from mapping.rules.mastery_rule import MasteryRule
from mapping.terms import (
    EXPLANATIONS,
    LONGEST_TERM,
    RENAMED_STATUSES,
    STATUS_EXPLANATIONS,
    USUAL,
    USUAL_TERMS,
    Term,
    Terms,
    unkind_words,
)
from mapping.wording import ENGLISH
from store.district_words import set_terms, terms_of
from store.session import reading, writing

blueprint = Blueprint("desk_words", __name__)

_MOST_REASON = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedWords:
    """What a form says, what is wrong by field, what to think over, and the words themselves."""

    said: Mapping[str, str]
    wrong: Mapping[str, str] = field(default_factory=dict)
    unkind: Sequence[str] = ()
    terms: Terms = USUAL_TERMS


@blueprint.get("/rules/words")
def page(launch_id: str) -> str:
    """What things are called, and sentences with it."""
    visit = administrator(launch_id)
    with reading(services().engine) as connection:
        terms = terms_of(connection, visit.record.tenant)
    return _page(TypedWords(said=_said(terms), terms=terms, unkind=_unkind(terms)), visit=visit)


@blueprint.post("/rules/words/try")
def try_out(launch_id: str) -> Response:
    """Show sentences as they would read; nothing is kept."""
    visit = changing_administrator(launch_id)
    form = _typed()
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.wrong else HTTPStatus.OK
    return make_response(_page(form, visit=visit), status)


@blueprint.post("/rules/words")
def save(launch_id: str) -> Response:
    """Have things be called so from now on."""
    visit = changing_administrator(launch_id)
    form, reason = _typed(), field_text("reason", _MOST_REASON)
    if not reason:
        form = replace(form, wrong={**form.wrong, "reason": "Say why; it is kept in the trail."})
    if form.wrong:
        return make_response(_page(form, visit=visit), HTTPStatus.UNPROCESSABLE_ENTITY)
    with writing(services().engine) as connection:
        set_terms(connection, visit.record.tenant, form.terms, author=author_of(visit, reason))
    return to_page(visit, "rules/words?saved=yes")


def _page(form: TypedWords, **shown: object) -> str:
    words = replace(ENGLISH, terms=form.terms.values)
    is_part = bool(request.headers.get("HX-Request"))
    return render_template(
        "desk/_words_read.html" if is_part else "desk/words.html",
        form=form,
        own=form.terms,
        usual=USUAL,
        explanations={term: words.say(told) for term, told in EXPLANATIONS.items()},
        statuses=[
            (one, status_key(one), words.say(STATUS_EXPLANATIONS[one])) for one in RENAMED_STATUSES
        ],
        examples=_examples(form.terms),
        most=LONGEST_TERM,
        given=request.form,
        is_saved=request.args.get("saved") == "yes",
        **shown,
    )


def _typed() -> TypedWords:
    said = {name: request.form.get(name, "").strip() for name in _said(USUAL_TERMS)}
    try:
        terms = settled(said)
    except WordRefused as error:
        return TypedWords(said=said, wrong=error.problems)
    return TypedWords(said=said, terms=terms, unkind=_unkind(terms))


def _said(terms: Terms) -> dict[str, str]:
    """A form that says what a district calls things; empty where it says as we do."""
    said: dict[str, str] = {}
    for term in Term:
        forms = terms.own.get(term)
        said[term.value] = forms.one if forms else ""
        said[f"{term.value}_many"] = forms.many if forms else ""
    return said | {status_key(one): terms.labels.get(one, "") for one in RENAMED_STATUSES}


def _unkind(terms: Terms) -> tuple[str, ...]:
    spoken = [word for forms in terms.own.values() for word in (forms.one, forms.many)]
    return unkind_words("; ".join((*spoken, *terms.labels.values())))


def _examples(terms: Terms) -> tuple[str, ...]:
    """Sentences of ours, made by the lines that make them for teachers, learners and families."""
    words = replace(ENGLISH, terms=terms.values)
    rule = MasteryRule(criteria=ChildrenMastered(count=2))
    return (
        rule.sentence(words),
        rule.rollup.sentence(words),
        words.say("No activity of this course speaks for {a_competency} yet."),
        words.count(
            "You opened a link about {count} {competency}, so the page shows no others.",
            "You opened a link about {count} {competencies}, so the page shows no others.",
            3,
        ),
        words.say(
            "The district's {framework} has {strands}, and each {strand} has {competencies}."
        ),
    )
