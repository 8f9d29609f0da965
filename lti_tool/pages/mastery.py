"""How mastery works here: the rules in force in the district's words, with no learner in it.

Everybody who came from an LMS reads it; the district may show it to everybody else by a link.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from flask import Blueprint, Response, make_response, render_template, request
from sqlalchemy import Connection

from lti_tool.called import use_words
from lti_tool.guards import Capacity, NotThere, launched_course, require
from lti_tool.languages import words
from lti_tool.launch import doors
from lti_tool.launch.services import services
from lti_tool.pages.shown import use_timezone
from lti_tool.pages.visits import current_visit
from lti_tool.rule_places import NamedPlace, place_name, rule_held
from mapping.records import CourseId, TenantId
from mapping.rules.scopes import EffectiveRule, Scope
from mapping.terms import EXPLANATIONS, RENAMED_STATUSES, STATUS_EXPLANATIONS, Term, capital
from store import mastery_pages, naming, rules
from store.district_words import terms_of
from store.rules import DISTRICT, RulePlace
from store.session import reading

blueprint = Blueprint("mastery", __name__)
everybody = Blueprint("mastery_for_everybody", __name__)

MOST_PLACES = 25
"""Narrower places that are told one by one; more are no page that a family reads."""
_FRESH_SECONDS = 60
_TOKEN_LENGTH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPlace:
    """A place that says something, and the rule that holds there."""

    name: str
    held: EffectiveRule


@dataclass(frozen=True, slots=True, kw_only=True)
class HowItWorks:
    """What the page tells: the district's rule whole, narrower ones in a sentence each.

    ``more`` counts narrower places that are not told, courses among them: a course's title may
    name a person.
    """

    district: EffectiveRule
    narrower: Sequence[HeldPlace]
    more: int


@blueprint.get("/mastery")
def page(launch_id: str) -> str:
    """For whoever came from an LMS, with the rule of the course they came from."""
    visit = current_visit(launch_id)
    require(visit, Capacity.TEACHER, Capacity.LEARNER, Capacity.GUARDIAN, Capacity.ADMINISTRATOR)
    with reading(services().engine) as connection:
        course = launched_course(connection, visit)
        shown = how_it_works(
            connection, visit.record.tenant, now=services().now(), own_course=course
        )
    return render_template("mastery.html", visit=visit, **told(shown))


@everybody.get("/how-mastery-works/<token>")
def shown_to_everybody(token: str) -> Response:
    """For everybody who has the link, as long as the district shows it.

    Raises:
        NotThere: There is no such page, or none any more.
    """
    services().doors.enter(doors.MASTERY, request.remote_addr or "")
    if len(token) != _TOKEN_LENGTH or not token.isascii() or not token.isalnum():
        raise NotThere
    with reading(services().engine) as connection:
        found = mastery_pages.page_at(connection, token)
        if found is None:
            raise NotThere
        use_words(terms_of(connection, found.tenant))
        use_timezone(found.timezone)
        shown = how_it_works(connection, found.tenant, now=services().now())
    text = render_template("mastery_open.html", district=found.district, **told(shown))
    response = make_response(text, HTTPStatus.OK)
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    # A link that was taken back leads nowhere a minute later, whatever keeps copies between.
    response.headers["Cache-Control"] = f"public, max-age={_FRESH_SECONDS}"
    response.vary.add("Accept-Language")
    response.add_etag()
    response.make_conditional(request)
    return response


def told(shown: HowItWorks) -> dict[str, object]:
    """What the template tells, in the words of this response."""
    said = words()
    rule = shown.district.rule
    return {
        "sentence": rule.sentence(said),
        "evidence": rule.policy.sentences(said),
        "strands": rule.rollup.sentence(said),
        "scale": rule.scale,
        "narrower": [
            (one.name, one.held.rule.sentence(said), one.held.origin_sentence(said))
            for one in shown.narrower
        ],
        "more": shown.more,
        "glossary": [(capital(said.terms[one.value]), said.say(EXPLANATIONS[one])) for one in Term],
        "statuses": [
            (one, said.label(one.label), said.say(STATUS_EXPLANATIONS[one]))
            for one in RENAMED_STATUSES
        ],
    }


def how_it_works(
    connection: Connection,
    tenant: TenantId,
    *,
    now: datetime,
    own_course: CourseId | None = None,
) -> HowItWorks:
    """The rules in force.

    Args:
        connection: A transaction.
        tenant: Whose.
        now: The moment.
        own_course: A course whose rule is told by its title, too.
    """
    entries = rules.scoped_rules(connection, tenant)
    said = rules.said_by_place(connection, tenant, now=now)
    places = sorted(
        (one for one in said if one != DISTRICT and said[one].definition),
        key=lambda one: (one.scope, one.target),
    )
    told_places = [
        one for one in places if one.scope is not Scope.COURSE or one.target == own_course
    ][:MOST_PLACES]
    named = [_named(connection, tenant, one) for one in told_places]
    district = NamedPlace(place=DISTRICT, name="")
    return HowItWorks(
        district=rule_held(entries, district, now),
        narrower=[HeldPlace(name=one.name, held=rule_held(entries, one, now)) for one in named],
        more=len(places) - len(named),
    )


def _named(connection: Connection, tenant: TenantId, place: RulePlace) -> NamedPlace:
    framework = 0
    if place.scope is Scope.FRAMEWORK:
        framework = place.target
    elif place.scope is Scope.COMPETENCY:
        framework = naming.framework_of(connection, place.target)
    name = place_name(connection, tenant, place)
    return NamedPlace(place=place, name=name, framework=framework)
