"""The picker: a teacher chooses competencies, and the LMS places links to them."""

import logging
from collections.abc import Sequence
from http import HTTPStatus

from flask import Blueprint, Response, make_response, render_template, request
from sqlalchemy import Connection

from lti_tool.guards import PLACING, NotThere, Visit, require
from lti_tool.languages import words
from lti_tool.launch.claims import DeepLinkingSettings, origin_of
from lti_tool.launch.deep_linking import (
    LINK_TYPE,
    Chosen,
    ColumnOffer,
    Link,
    column_offer,
    content_item,
    response_claims,
    signed,
)
from lti_tool.launch.routes import LAUNCH_PATH
from lti_tool.launch.services import services
from lti_tool.launch.sessions import SessionEnded, frame_origins
from lti_tool.pages.explanations import rule_of
from lti_tool.pages.headers import allow_forms
from lti_tool.pages.visits import changing_visit, current_visit
from store.competencies import Choice, ChoiceTree, choice_trees
from store.session import reading

blueprint = Blueprint("choose", __name__)

_LOG = logging.getLogger(__name__)
MOST_CHOSEN = 50
"""In one answer; more would be a page of links that nobody reads."""


@blueprint.get("/choose")
def choose(launch_id: str) -> Response:
    """Show what can be chosen."""
    visit = current_visit(launch_id)
    return _picker(visit, _settings(visit))


@blueprint.post("/choose")
def place(launch_id: str) -> Response:
    """Answer the LMS, once, with links to what was chosen; or say that nothing was."""
    visit = changing_visit(launch_id)
    settings = _settings(visit)
    if request.form.get("action") == "cancel" or LINK_TYPE not in settings.accept_types:
        return _answer(visit, settings, [])
    with reading(services().engine) as connection:
        chosen = _chosen(connection, visit)
        top = rule_of(connection, visit.record.tenant).scale.top
    if not chosen:
        return _picker(
            visit, settings, complaint=words().say("Choose at least one {competency} first.")
        )
    if len(chosen) > MOST_CHOSEN:
        return _picker(
            visit,
            settings,
            complaint=words().say("Choose at most {most} at a time.", most=MOST_CHOSEN),
        )
    return _answer(visit, settings, _links(visit, settings, chosen, top=top))


def _settings(visit: Visit) -> DeepLinkingSettings:
    if visit.record.deep_linking is None:
        raise NotThere
    require(visit, *PLACING)
    return visit.record.deep_linking


def _picker(visit: Visit, settings: DeepLinkingSettings, complaint: str = "") -> Response:
    with reading(services().engine) as connection:
        trees = choice_trees(connection, visit.record.tenant)
        top = rule_of(connection, visit.record.tenant).scale.top
    page = render_template(
        "choose.html",
        visit=visit,
        settings=settings,
        trees=trees,
        takes_links=LINK_TYPE in settings.accept_types,
        offer=column_offer(settings, visit.platform),
        ColumnOffer=ColumnOffer,
        top=top,
        complaint=complaint,
        asked=frozenset(request.form.getlist("competency")),
        most=MOST_CHOSEN,
    )
    status = HTTPStatus.UNPROCESSABLE_ENTITY if complaint else HTTPStatus.OK
    return make_response(page, status)


def _chosen(connection: Connection, visit: Visit) -> tuple[Chosen, ...]:
    # In the order of the page. One that the tenant does not have makes the whole form a forgery.
    asked = frozenset(request.form.getlist("competency"))
    trees = choice_trees(connection, visit.record.tenant)
    found = tuple(one for one in _flat(trees) if str(one.id) in asked)
    if len(found) != len(asked):
        raise NotThere
    return tuple(
        Chosen(identifier=one.identifier, sentence=one.indicator or one.statement) for one in found
    )


def _flat(trees: Sequence[ChoiceTree]) -> list[Choice]:
    waiting = [one for tree in reversed(trees) for one in reversed(tree.tops)]
    found: list[Choice] = []
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting.extend(reversed(one.parts))
    return found


def _links(
    visit: Visit, settings: DeepLinkingSettings, chosen: Sequence[Chosen], *, top: float
) -> list[Link]:
    is_offered = column_offer(settings, visit.platform) is ColumnOffer.OFFERED
    maximum = top if is_offered and request.form.get("column") == "yes" else None
    if settings.is_multiple and request.form.get("together") == "yes":
        return [Link(about=chosen, maximum=maximum)]
    return [Link(about=[one], maximum=maximum) for one in chosen]


def _answer(visit: Visit, settings: DeepLinkingSettings, links: Sequence[Link]) -> Response:
    # A page whose one form carries the signed answer; the visit is over with it.
    at = services()
    claims = response_claims(
        settings,
        visit.platform,
        deployment=visit.record.deployment,
        items=[content_item(link, at.origin + LAUNCH_PATH) for link in links],
        now=at.now(),
    )
    answer = signed(claims, at.tool_keys.signing_key(visit.platform.pinned_kid))
    if not at.launches.end([visit.launch_id]):
        raise SessionEnded
    target = origin_of(settings.return_url)
    if target not in frame_origins(visit.platform):
        # It is signed, and schools of a hosted Canvas have hosts of their own.
        _LOG.info("a deep linking answer goes to another origin than the platform's: %s", target)
    allow_forms([target])
    return make_response(
        render_template(
            "placed.html",
            platform=visit.platform,
            return_url=settings.return_url,
            answer=answer,
            count=len(links),
        )
    )
