"""The id_token of a launch.

Source: moodle.md, section 3.1; LTI Core 1.3, section 5.3; AGS 2.0 and NRPS 2.0 claims.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulators.moodle.site import VERSION, Site
from simulators.moodle.tools import AGS, NRPS_SCOPE

LIFETIME_SECONDS = 60
CLAIM = "https://purl.imsglobal.org/spec/lti/claim"
_MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
_ROLES = {
    "teacher": [f"{_MEMBERSHIP}Instructor"],
    "learner": [f"{_MEMBERSHIP}Learner"],
    "guardian": [f"{_MEMBERSHIP}Learner"],
    "administrator": [
        "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator",
        f"{_MEMBERSHIP}Instructor",
        "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator",
    ],
}
"""Moodle knows no observer: a guardian who may enter a course is a Learner to the tool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchFacts:
    """Who launches, where from, as what."""

    course: sqlite3.Row
    person: sqlite3.Row
    role: str
    nonce: str


def claims_of(site: Site, facts: LaunchFacts) -> dict[str, Any]:
    """All claims of a resource link launch; valid for a minute."""
    return {
        "iss": site.url,
        "aud": site.client_id,
        "sub": str(facts.person["id"]),
        "iat": site.now,
        "exp": site.now + LIFETIME_SECONDS,
        "nonce": facts.nonce,
        **_person(site, facts.person),
        f"{CLAIM}/deployment_id": site.type_id,
        f"{CLAIM}/message_type": "LtiResourceLinkRequest",
        f"{CLAIM}/version": "1.3.0",
        f"{CLAIM}/target_link_uri": site.tool.target,
        f"{CLAIM}/roles": _ROLES[facts.role],
        **_place(site, facts),
        **_services(site, facts.course["id"]),
    }


def changed(claims: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of another message or link: objects are added to, None takes a claim away."""
    merged = {
        name: {**claims.get(name, {}), **value} if isinstance(value, dict) else value
        for name, value in changes.items()
    }
    return {name: value for name, value in {**claims, **merged}.items() if value is not None}


def services_url(site: Site) -> str:
    """Where the site's LTI services begin."""
    return f"{site.url}/mod/lti/services.php"


def _person(site: Site, person: sqlite3.Row) -> dict[str, str]:
    """Name and e-mail; a tool that registered itself gets those that it asked for."""
    known = {
        "name": f"{person['given_name']} {person['family_name']}".strip(),
        "given_name": person["given_name"],
        "family_name": person["family_name"],
        "email": person["email"],
    }
    asked = site.tool.claims
    return {name: value for name, value in known.items() if asked is None or name in asked}


def _place(site: Site, facts: LaunchFacts) -> dict[str, Any]:
    course, person = facts.course, facts.person
    return {
        f"{CLAIM}/context": {
            "id": str(course["id"]),
            "label": course["code"],
            "title": course["title"],
            "type": ["CourseSection"],
        },
        f"{CLAIM}/resource_link": {"id": str(course["id"]), "title": "Waymark", "description": ""},
        f"{CLAIM}/lis": {
            "course_section_sourcedid": course["sis_id"],
            "person_sourcedid": person["sis_id"],
        },
        f"{CLAIM}/ext": {"lms": "moodle-2", "user_username": person["email"].partition("@")[0]},
        f"{CLAIM}/launch_presentation": {
            "document_target": "iframe",
            "locale": "en",
            "return_url": f"{site.url}/mod/lti/return.php?course={course['id']}",
        },
        f"{CLAIM}/tool_platform": {
            "guid": "e8173d009faf4ea83b56bd898ac0a567",
            "name": site.config["district"],
            "description": site.config["district"],
            "product_family_code": "moodle",
            "version": VERSION,
        },
        f"{CLAIM}/custom": {
            **_expanded(site, facts),
            "user_idnumber": person["sis_id"],
            "context_memberships_url": _memberships_url(site, course["id"]),
            "link_setting_url": f"{services_url(site)}/links/{{link_id}}/custom",
        },
    }


def _expanded(site: Site, facts: LaunchFacts) -> dict[str, str]:
    """The tool's own parameters; a variable that is not known here arrives as its name."""
    variables = {
        "$User.id": str(facts.person["id"]),
        "$Context.id": str(facts.course["id"]),
        "$Person.sourcedId": facts.person["sis_id"],
    }
    return {name: variables.get(value, value) for name, value in site.tool.custom.items()}


def _services(site: Site, course: int) -> dict[str, Any]:
    """The service claims; the tool's link has no grade item, so no ``lineitem``."""
    found: dict[str, Any] = {}
    ags = [scope for scope in site.tool.scopes if scope.startswith(AGS)]
    if ags:
        found["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"] = {
            "lineitems": f"{services_url(site)}/{course}/lineitems?type_id={site.type_id}",
            "scope": ags,
        }
    if NRPS_SCOPE in site.tool.scopes:
        found["https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"] = {
            "context_memberships_url": _memberships_url(site, course),
            "service_versions": ["1.0", "2.0"],
        }
    return found


def _memberships_url(site: Site, course: int) -> str:
    return f"{services_url(site)}/CourseSection/{course}/bindings/{site.type_id}/memberships"
