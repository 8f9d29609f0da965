"""Loading a district from a file: its schools, platforms, frameworks, mapping and rules.

The file is JSON; paths in it are relative to it. Loading it again brings the district up to
date and changes nothing that is the same. A token written as ``env:NAME`` is read from the
environment variable of that name, so that the file itself need hold no secret.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from bootstrap.container import Container
from bootstrap.district_rules import DistrictRules, RuleEntry, save_district_rules
from bootstrap.settings import environment_value
from interchange.case import read_package
from interchange.errors import FileRefused
from interchange.imported import Imported
from interchange.mapping_csv import read_mapping
from mapping.progressions.graph import HierarchyRefused
from mapping.records import MappingRule, Mode, PassbackWay, SchoolId, SchoolRef, TenantId
from mapping.rules.mastery_rule import RuleRefused, parse_rule
from store import alignments, deployments, modes, registrations, ways
from store.framework_imports import Brought, bring_in
from store.policy_changes import Author, PolicyKind, record_change
from store.registrations import PlatformEntry
from store.session import writing

_AUTHOR = "district file"
_REFUSED = (alignments.UnknownCompetencyError, registrations.PlatformTaken, HierarchyRefused)


class _School(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    passback: PassbackWay = PassbackWay.WORDS
    mode: Mode | None = None
    first_push: Literal["agreed"] | None = None


class _Platform(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    kind: Literal["canvas", "moodle"]
    issuer: str
    client_id: str
    auth_url: str
    token_url: str
    jwks_url: str
    api_url: str
    api_token: str
    deployments: list[str]
    schools: dict[str, str]
    audience: str = ""


class _RuleEntry(msgspec.Struct, forbid_unknown_fields=True):
    rule: dict[str, Any]
    framework: str = ""
    competency: str = ""
    course: str = ""
    reason: str = ""


class _District(msgspec.Struct, forbid_unknown_fields=True):
    district: str
    timezone: str
    schools: list[_School]
    platforms: list[_Platform]
    frameworks: list[str] = []
    mappings: list[str] = []
    rule: dict[str, Any] = {}
    rules: list[_RuleEntry] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedDistrict:
    """What a district file brought; ``skipped`` tells each record left out, with why.

    ``rules`` counts those of the mapping.
    """

    tenant: TenantId
    name: str
    competencies: int
    rules: int
    skipped: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contents:
    """A district file and the files it names, read and found good."""

    district: _District
    frameworks: Sequence[Imported]
    mapping: Sequence[MappingRule]


def load_district(container: Container, path: Path) -> LoadedDistrict:
    """Bring a district in, or up to date, from its file: whole or not at all.

    Args:
        container: Where to.
        path: The district file.

    Returns:
        What it brought.

    Raises:
        FileRefused: A file is missing or wrong; every problem of it is told, nothing is loaded.
    """
    contents = _read(path)
    try:
        with writing(container.engine) as connection:
            tenant, unknown = _save(connection, container, contents)
    except _REFUSED as error:
        raise FileRefused([f"{path.name}: {error}"]) from error
    container.registrations_changed()
    return LoadedDistrict(
        tenant=tenant,
        name=contents.district.district,
        competencies=sum(len(f.framework.competencies) for f in contents.frameworks),
        rules=len(contents.mapping),
        skipped=(*(line for f in contents.frameworks for line in _left_out(f)), *unknown),
    )


def _left_out(read: Imported) -> Sequence[str]:
    outside = [f"{link}: one of them is not in the package." for link in read.unresolved]
    return (*read.skipped, *outside)


def _read(path: Path) -> _Contents:
    try:
        district = msgspec.json.decode(_bytes(path), type=_District)
        ZoneInfo(district.timezone)
        parse_rule(district.rule)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FileRefused([f"{path.name} is not a district file: {error}."]) from error
    except (KeyError, ValueError, OSError) as error:
        raise FileRefused([_district_problem(path, error)]) from error
    problems = _unknown_schools(district)
    if problems:
        raise FileRefused(problems)
    folder = path.parent
    return _Contents(
        district=district,
        frameworks=[read_package(_bytes(folder / name)) for name in district.frameworks],
        mapping=[r for name in district.mappings for r in read_mapping(_bytes(folder / name))],
    )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileRefused([f"{path} cannot be read: {error.strerror}."]) from error


def _district_problem(path: Path, error: Exception) -> str:
    if isinstance(error, RuleRefused):
        return f"{path.name}: {error}"
    return f"{path.name}: the time zone is not an IANA name such as America/Sao_Paulo."


def _unknown_schools(district: _District) -> list[str]:
    names = {school.name for school in district.schools}
    return [
        f"The platform {platform.name} names the school {school!r}, which is not among the schools."
        for platform in district.platforms
        for school in platform.schools.values()
        if school not in names
    ]


def _save(
    connection: Connection, container: Container, contents: _Contents
) -> tuple[TenantId, Sequence[str]]:
    """Save everything; the tenant, and rules of courses that are not known yet."""
    district = contents.district
    tenant = registrations.save_tenant(connection, district.district, district.timezone)
    author = Author(by=_AUTHOR, at=container.now())
    schools = {
        school.name: _save_school(connection, tenant, school, author=author)
        for school in district.schools
    }
    for platform in district.platforms:
        _save_platform(connection, container, platform, tenant=tenant, schools=schools)
    for read in contents.frameworks:
        report = {"skipped": _left_out(read), "warnings": read.warnings}
        brought = Brought(source=_AUTHOR, form="case", report=report)
        bring_in(connection, tenant, read.framework, brought=brought, author=author)
    _publish(connection, tenant, contents.mapping, author=author)
    said = DistrictRules(
        district=district.rule,
        entries=[
            RuleEntry(
                definition=entry.rule,
                framework=entry.framework,
                competency=entry.competency,
                course=entry.course,
                reason=entry.reason,
            )
            for entry in district.rules
        ],
    )
    return tenant, save_district_rules(connection, tenant, said, now=container.now())


def _save_school(
    connection: Connection, tenant: TenantId, school: _School, *, author: Author
) -> SchoolId:
    """Make a school, or bring it up to date; what the file leaves out stays as it was chosen."""
    if not ways.set_school_way(connection, tenant, school.name, way=school.passback, author=author):
        registrations.save_school(connection, tenant, school.name, passback_way=school.passback)
    if school.mode is not None:
        modes.set_school_mode(connection, tenant, school.name, mode=school.mode, author=author)
    if school.first_push is not None:
        modes.agree_for_school(connection, tenant, school.name, author=author)
    return registrations.save_school(connection, tenant, school.name, passback_way=school.passback)


def _publish(
    connection: Connection, tenant: TenantId, found: Sequence[MappingRule], *, author: Author
) -> None:
    """Have a mapping hold; another one than before stands in the trail."""
    before = alignments.mapping_in_force(connection, tenant)
    count = len(alignments.rules_in_force(connection, tenant))
    if alignments.publish_mapping(connection, tenant, found, now=author.at) != before:
        told = "none in force" if before is None else f"{count} rules"
        change = author.change_of(
            PolicyKind.MAPPING, "mapping", before=told, after=f"{len(found)} rules in force"
        )
        record_change(connection, tenant, change)


def _save_platform(
    connection: Connection,
    container: Container,
    platform: _Platform,
    *,
    tenant: TenantId,
    schools: Mapping[str, Any],
) -> None:
    saved = registrations.save_platform(
        connection,
        tenant,
        PlatformEntry(
            kind=platform.kind,
            name=platform.name,
            issuer=platform.issuer,
            client_id=platform.client_id,
            auth_url=platform.auth_url,
            token_url=platform.token_url,
            jwks_url=platform.jwks_url,
            api_url=platform.api_url.rstrip("/"),
            api_token=_token(platform),
            audience=platform.audience,
        ),
        secrets=container.secrets,
    )
    deployments.save_deployments(connection, saved, platform.deployments)
    registrations.save_school_refs(
        connection, saved, {SchoolRef(ref): schools[name] for ref, name in platform.schools.items()}
    )


def _token(platform: _Platform) -> str:
    if not platform.api_token.startswith("env:"):
        return platform.api_token
    name = platform.api_token.removeprefix("env:")
    value = environment_value(name)
    if value is None:
        raise FileRefused(
            [f"The token of {platform.name} is to be read from {name}, which is not set."]
        )
    return value
