"""The tables. Nothing outside ``store`` sees them.

Moments are whole microseconds since 1970 in UTC (``Instant``), so that SQLite and PostgreSQL
keep and compare them alike, and bulk paths read them as plain integers.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)

from store.packing import Second2000

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """Whole microseconds since 1970 of an aware moment."""
    return (moment - EPOCH) // _MICROSECOND


def optional_micros(moment: datetime | None) -> int | None:
    """As ``to_micros``, None for None."""
    return None if moment is None else to_micros(moment)


def from_micros(micros: int) -> datetime:
    """The aware UTC moment of whole microseconds since 1970."""
    return EPOCH + micros * _MICROSECOND


class Instant(TypeDecorator[datetime]):
    """An aware datetime kept as whole microseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """To the database."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002
        """From the database."""
        return None if value is None else from_micros(int(value))


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite gives rowids to INTEGER primary keys only; PostgreSQL wants room.
BigId = BigInteger().with_variant(Integer(), "sqlite")


def _id() -> Column[int]:
    return Column("id", BigId, primary_key=True, autoincrement=True)


def _to(table: str, name: str, *, nullable: bool = False, primary_key: bool = False) -> Column[int]:
    return Column(
        name, BigId, ForeignKey(f"{table}.id"), nullable=nullable, primary_key=primary_key
    )


def _of(name: str, *, nullable: bool = False, primary_key: bool = False) -> Column[int]:
    """As ``_to`` without a foreign key, which costs PostgreSQL more than the row does.

    For rows of which there are millions, whose writer holds what they name.
    """
    return Column(name, BigId, nullable=nullable, primary_key=primary_key, autoincrement=False)


def _narrow(name: str, *, nullable: bool = False, primary_key: bool = False) -> Column[int]:
    """As ``_of`` in four bytes, where there are millions of rows; two thousand million will do."""
    return Column(name, Integer, nullable=nullable, primary_key=primary_key, autoincrement=False)


tenants = Table(
    "tenants",
    metadata,
    _id(),
    Column("name", String(255), nullable=False, unique=True),
    Column("timezone", String(64), nullable=False),
    Column("paused_at", Instant),
    Column("paused_by", String(255), nullable=False, server_default=""),
    Column("pause_reason", Text, nullable=False, server_default=""),
    Column("mapping_needs_second", Boolean, nullable=False, server_default=false()),
)

schools = Table(
    "schools",
    metadata,
    _id(),
    _to("tenants", "tenant_id"),
    Column("name", String(255), nullable=False),
    Column("passback_way", String(32), nullable=False),
    Column("mode", String(16), nullable=False, server_default="official"),
    Column("agreed_at", Instant),
    Column("agreed_by", String(255), nullable=False, server_default=""),
    UniqueConstraint("tenant_id", "name"),
)

platforms = Table(
    "platforms",
    metadata,
    _id(),
    _to("tenants", "tenant_id"),
    Column("kind", String(16), nullable=False),
    Column("name", String(255), nullable=False),
    Column("issuer", String(512), nullable=False),
    Column("client_id", String(255), nullable=False),
    Column("auth_url", String(1024), nullable=False),
    Column("token_url", String(1024), nullable=False),
    Column("jwks_url", String(1024), nullable=False),
    Column("api_url", String(1024), nullable=False),
    Column("api_token", Text, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("suspended_at", Instant),
    Column("pinned_kid", String(64)),
    Column("audience", String(1024), nullable=False, server_default=""),
    Column("oauth_client_id", String(255), nullable=False, server_default=""),
    Column("oauth_client_secret", Text, nullable=False, server_default=""),
    Column("oauth_refresh_token", Text, nullable=False, server_default=""),
    Column("oauth_user", String(255), nullable=False, server_default=""),
    Column("oauth_authorized_at", Instant),
    Column("oauth_revoked_at", Instant),
    Column("events_key_url", String(1024), nullable=False, server_default=""),
    Column("events_token", String(64), nullable=False, server_default=""),
    UniqueConstraint("issuer", "client_id"),
    UniqueConstraint("tenant_id", "name"),
    CheckConstraint("kind IN ('canvas', 'moodle')", name="kind"),
)

deployments = Table(
    "deployments",
    metadata,
    _id(),
    _to("platforms", "platform_id"),
    Column("deployment_ref", String(255), nullable=False),
    Column("is_approved", Boolean, nullable=False),
    Column("about", String(512), nullable=False, server_default=""),
    Column("requested_at", Instant),
    Column("notices_url", String(1024), nullable=False, server_default=""),
    Column("notices_offered", String(1024), nullable=False, server_default=""),
    Column("notice_types", String(255), nullable=False, server_default=""),
    Column("notices_tried_at", Instant),
    UniqueConstraint("platform_id", "deployment_ref"),
)

invitations = Table(
    "invitations",
    metadata,
    _id(),
    _to("tenants", "tenant_id"),
    Column("token_digest", String(64), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("name", String(255), nullable=False),
    Column("issuer", String(512), nullable=False),
    Column("api_url", String(1024), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    _to("platforms", "platform_id", nullable=True),
    CheckConstraint("kind IN ('canvas', 'moodle')", name="kind"),
)

school_refs = Table(
    "school_refs",
    metadata,
    _to("platforms", "platform_id", primary_key=True),
    Column("ref", String(255), primary_key=True),
    _to("schools", "school_id"),
)

tool_keys = Table(
    "tool_keys",
    metadata,
    _id(),
    Column("kid", String(64), nullable=False, unique=True),
    Column("private_key", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("signs_from", Instant),
    Column("retired_at", Instant),
)

courses = Table(
    "courses",
    metadata,
    _id(),
    _to("tenants", "tenant_id"),
    _to("platforms", "platform_id"),
    Column("ref", String(255), nullable=False),
    _to("schools", "school_id", nullable=True),
    Column("title", String(512), nullable=False),
    Column("code", String(255), nullable=False),
    Column("sis_id", String(255)),
    Column("state", String(16), nullable=False),
    Column("starts_at", Instant),
    Column("ends_at", Instant),
    Column("cursor", Text),
    Column("synced_at", Instant),
    Column("swept_at", Instant),
    Column("gone_at", Instant),
    Column("aligned_to", String(64)),
    Column("passback_way", String(32)),
    Column("counted_from", Instant),
    Column("previewed_at", Instant),
    Column("mode", String(16)),
    Column("agreed_at", Instant),
    Column("agreed_by", String(255), nullable=False, server_default=""),
    Column("read_seconds", Float),
    Column("refreshed_at", Instant),
    Column("context_ref", String(255)),
    UniqueConstraint("platform_id", "ref"),
    Index("ix_courses_tenant_id", "tenant_id"),
)

line_items = Table(
    "line_items",
    metadata,
    _id(),
    _to("courses", "course_id"),
    Column("ref", String(255), nullable=False),
    Column("criterion_ref", String(255), nullable=False, server_default=""),
    Column("title", String(1024), nullable=False),
    Column("criterion", String(1024), nullable=False, server_default=""),
    Column("category", String(512), nullable=False),
    Column("grading", String(16), nullable=False),
    Column("minimum", Float, nullable=False),
    Column("maximum", Float, nullable=False),
    Column("due_at", Instant),
    Column("is_published", Boolean, nullable=False),
    Column("is_removed", Boolean, nullable=False),
    UniqueConstraint("course_id", "ref", "criterion_ref"),
)

learners = Table(
    "learners",
    metadata,
    _id(),
    _to("tenants", "tenant_id"),
    Column("sis_id", String(255)),
    Column("name", String(512), nullable=False),
    Column("sort_name", String(512), nullable=False),
    UniqueConstraint("tenant_id", "sis_id"),
)

learner_accounts = Table(
    "learner_accounts",
    metadata,
    _to("platforms", "platform_id", primary_key=True),
    Column("ref", String(255), primary_key=True),
    _to("learners", "learner_id"),
    Index("ix_learner_accounts_learner_id", "learner_id"),
)

enrolments = Table(
    "enrolments",
    metadata,
    _to("courses", "course_id", primary_key=True),
    _to("learners", "learner_id", primary_key=True),
    Column("state", String(16), nullable=False),
    Column("account_ref", String(255)),
    Index("ix_enrolments_learner_id", "learner_id"),
)

sections = Table(
    "sections",
    metadata,
    _id(),
    _to("courses", "course_id"),
    Column("ref", String(255), nullable=False),
    Column("title", String(512), nullable=False),
    Column("sis_id", String(255)),
    Column("is_group", Boolean, nullable=False),
    UniqueConstraint("course_id", "ref"),
)

section_members = Table(
    "section_members",
    metadata,
    _to("sections", "section_id", primary_key=True),
    _to("learners", "learner_id", primary_key=True),
    Index("ix_section_members_learner_id", "learner_id"),
)

guardianships = Table(
    "guardianships",
    metadata,
    _to("courses", "course_id", primary_key=True),
    Column("guardian_ref", String(255), primary_key=True),
    _to("learners", "learner_id", primary_key=True),
)


def _cell(*, is_key: bool) -> list[Column[Any]]:
    """What a gradebook cell says; wide columns first, so that no byte is lost to alignment."""
    return [
        Column("points", Float),
        Column("points_deducted", Float),
        _narrow("line_item_id", primary_key=is_key),
        _narrow("learner_id", primary_key=is_key),
        Column("submitted_at", Second2000),
        Column("graded_at", Second2000),
        Column("attempt", SmallInteger, nullable=False),
        Column("flags", SmallInteger, nullable=False),
    ]


scores = Table(
    "scores",
    metadata,
    *_cell(is_key=True),
    Index("ix_scores_learner_id", "learner_id"),
    sqlite_with_rowid=False,
)
"""What each gradebook cell says now; the newest of ``score_events``. ``packing`` reads ``flags``;
no ``points_deducted`` is none."""

score_events = Table(
    "score_events",
    metadata,
    _id(),
    Column("recorded_at", Instant, nullable=False),
    *_cell(is_key=False),
    _narrow("run_id", nullable=True),
    Index("ix_score_events_learner_id_line_item_id", "learner_id", "line_item_id"),
)
"""Everything a gradebook cell ever said, never changed, never deleted."""


def _attempt(*, is_key: bool) -> list[Column[Any]]:
    return [
        Column("points", Float),
        _narrow("line_item_id", primary_key=is_key),
        _narrow("learner_id", primary_key=is_key),
        Column("submitted_at", Second2000),
        Column("graded_at", Second2000),
        Column("number", SmallInteger, primary_key=is_key, nullable=False, autoincrement=False),
        Column("is_late", Boolean, nullable=False),
    ]


earlier_attempts = Table(
    "earlier_attempts",
    metadata,
    *_attempt(is_key=True),
    Index("ix_earlier_attempts_learner_id", "learner_id"),
    sqlite_with_rowid=False,
)
"""Graded attempts before the one that a score is of, as last seen; never deleted."""

frameworks = Table(
    "frameworks",
    metadata,
    _id(),
    _to("tenants", "tenant_id"),
    Column("identifier", String(255), nullable=False),
    Column("title", String(512), nullable=False),
    Column("creator", String(512), nullable=False),
    Column("language", String(16), nullable=False),
    Column("licence", String(512), nullable=False),
    Column("attribution", Text, nullable=False),
    Column("is_local", Boolean, nullable=False, server_default=false()),
    Column("archived_at", Instant),
    Column("address", String(1024), nullable=False, server_default=""),
    Column("etag", String(255), nullable=False, server_default=""),
    Column("last_modified", String(64), nullable=False, server_default=""),
    UniqueConstraint("tenant_id", "identifier"),
)
"""``is_local`` ones are edited here. ``address``, ``etag`` and ``last_modified`` are of the answer
that one fetched from an address came with."""

competencies = Table(
    "competencies",
    metadata,
    _id(),
    _to("frameworks", "framework_id"),
    Column("identifier", String(255), nullable=False),
    Column("code", String(64), nullable=False),
    Column("statement", Text, nullable=False),
    Column("indicator", Text, nullable=False),
    _to("competencies", "parent_id", nullable=True),
    Column("position", Integer, nullable=False),
    Column("is_strand", Boolean, nullable=False),
    Column("is_archived", Boolean, nullable=False),
    Column("is_shelved", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("framework_id", "identifier"),
    UniqueConstraint("framework_id", "code"),
)
"""``is_shelved`` ones were archived with their framework, and come back with it."""

competency_indicators = Table(
    "competency_indicators",
    metadata,
    _to("competencies", "competency_id", primary_key=True),
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("language", String(16), primary_key=True),
    Column("text", Text, nullable=False),
)
"""What a competency looks like to a learner, at a level of the scale, from 0, in a language."""

framework_versions = Table(
    "framework_versions",
    metadata,
    _id(),
    _to("frameworks", "framework_id"),
    Column("number", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", String(255), nullable=False),
    Column("source", String(1024), nullable=False),
    Column("form", String(16), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("added", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("archived", Integer, nullable=False),
    Column("restored", Integer, nullable=False),
    Column("report", Text, nullable=False),
    UniqueConstraint("framework_id", "number"),
)
"""Every time that a framework became another one; ``report`` tells what was not taken over."""

framework_drafts = Table(
    "framework_drafts",
    metadata,
    _id(),
    _to("tenants", "tenant_id"),
    Column("name", String(255), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("choices", Text, nullable=False),
    Column("by", String(255), nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("ix_framework_drafts_tenant_id", "tenant_id"),
)
"""Files that were sent and not yet brought in, with what was chosen for them."""

vague_verbs = Table(
    "vague_verbs",
    metadata,
    _to("tenants", "tenant_id", primary_key=True),
    Column("language", String(16), primary_key=True),
    Column("verbs", Text, nullable=False),
)
"""A district's own lists of verbs that cannot be demonstrated, one a line."""

mapping_sets = Table(
    "mapping_sets",
    metadata,
    _id(),
    _to("tenants", "tenant_id"),
    Column("version", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("published_at", Instant, nullable=False),
    Column("title", String(255), nullable=False, server_default=""),
    Column("author", String(255), nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("effective_from", Instant),
    Column("restored", Integer),
    UniqueConstraint("tenant_id", "version"),
)
"""Every mapping set that was ever in force; the highest version is, the others are retired.

``restored`` is the version whose rules a rollback published again.
"""

mapping_rules = Table(
    "mapping_rules",
    metadata,
    _id(),
    _to("mapping_sets", "mapping_set_id"),
    Column("position", Integer, nullable=False),
    _to("competencies", "competency_id"),
    Column("course", String(512), nullable=False),
    Column("line_item", String(512), nullable=False),
    Column("category", String(512), nullable=False),
    Column("criterion", String(512), nullable=False),
    Column("weight", Float, nullable=False),
    Column("kind", String(16), nullable=False),
    UniqueConstraint("mapping_set_id", "position"),
)

mapping_drafts = Table(
    "mapping_drafts",
    metadata,
    _id(),
    _to("tenants", "tenant_id"),
    Column("title", String(255), nullable=False),
    Column("author", String(255), nullable=False),
    Column("changed_by", String(512), nullable=False),
    Column("based_on", Integer),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("scheduled_by", String(255)),
    Column("effective_from", Instant),
    Index("ix_mapping_drafts_tenant_id", "tenant_id"),
)
"""Mapping sets in the making; not among the published ones, of which the newest is in force.

``changed_by`` names the last person to change it as nothing else does, ``based_on`` is the
version it began as. One that has ``scheduled_by`` takes force on the first night from
``effective_from`` on.
"""

mapping_draft_rules = Table(
    "mapping_draft_rules",
    metadata,
    _id(),
    _to("mapping_drafts", "draft_id"),
    Column("position", Integer, nullable=False),
    _to("competencies", "competency_id"),
    *(
        Column(name, String(512), nullable=False)
        for name in ("course", "line_item", "category", "criterion")
    ),
    Column("weight", Float, nullable=False),
    Column("kind", String(16), nullable=False),
    Index("ix_mapping_draft_rules_draft_id", "draft_id"),
)

mapping_matches = Table(
    "mapping_matches",
    metadata,
    Column("tenant_id", BigInteger, primary_key=True, autoincrement=False),
    Column("line_item_id", BigInteger, primary_key=True, autoincrement=False),
    Column("title", String(1024), nullable=False),
    Column("criterion", String(1024), nullable=False),
    Column("rules", Text, nullable=False),
)
"""What the mapping set in force matched on the day it was published, to tell what drifted since.

Rewritten whole at each publication; ``rules`` are their positions, with spaces between them.
"""

alignments = Table(
    "alignments",
    metadata,
    _to("line_items", "line_item_id", primary_key=True),
    _to("competencies", "competency_id", primary_key=True),
    Column("weight", Float, nullable=False),
    Column("kind", String(16), nullable=False),
    Index("ix_alignments_competency_id", "competency_id"),
)
"""The published mapping set applied to the line items there are."""

mastery_rules = Table(
    "mastery_rules",
    metadata,
    _id(),
    _to("tenants", "tenant_id"),
    Column("version", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("definition", Text, nullable=False),
    Column("effective_from", Instant, nullable=False),
    Column("scope", String(16), nullable=False, server_default="district"),
    Column("target_id", BigInteger, nullable=False, server_default="0"),
    Column("author", String(255), nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("recorded_at", Instant),
    UniqueConstraint("tenant_id", "version"),
)
"""Every version of every rule; versions count up through a tenant, whatever their scope."""

effective_rules = Table(
    "effective_rules",
    metadata,
    _id(),
    _to("tenants", "tenant_id"),
    Column("digest", String(64), nullable=False),
    Column("definition", Text, nullable=False),
    UniqueConstraint("tenant_id", "digest"),
)
"""Rules as scopes made them together and standings were judged by them; never changed."""

standings = Table(
    "standings",
    metadata,
    _of("learner_id", primary_key=True),
    _of("competency_id", primary_key=True),
    Column("view", SmallInteger, primary_key=True),
    Column("status", SmallInteger, nullable=False),
    Column("estimate", Float),
    Column("evidence_count", Integer, nullable=False),
    Column("mastered_count", Integer, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("level", SmallInteger, nullable=False, server_default="-1"),
    Column("mastered_at", Instant),
    Column("review_at", Instant),
    Column("override", SmallInteger, nullable=False, server_default="0"),
    Column("effective_rule_id", BigInteger),
    Index("ix_standings_review_at", "review_at"),
    sqlite_with_rowid=False,
)
"""Where each learner stands now, in each of the two views."""

standing_digests = Table(
    "standing_digests",
    metadata,
    _of("learner_id", primary_key=True),
    Column("high", BigInteger),
    Column("low", BigInteger, nullable=False),
)
"""What the standings of a learner in both views come to; no ``high`` where that is not known."""

standing_changes = Table(
    "standing_changes",
    metadata,
    _id(),
    _of("learner_id"),
    _of("competency_id"),
    Column("view", SmallInteger, nullable=False),
    Column("previous_status", SmallInteger),
    Column("status", SmallInteger, nullable=False),
    Column("estimate", Float),
    Column("evidence_count", Integer, nullable=False),
    Column("mastered_count", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    _of("mapping_set_id"),
    _of("mastery_rule_id"),
    _of("run_id", nullable=True),
    Column("level", SmallInteger, nullable=False, server_default="-1"),
    Column("mastered_at", Instant),
    Column("review_at", Instant),
    Column("override", SmallInteger, nullable=False, server_default="0"),
    Column("effective_rule_id", BigInteger),
    Index(
        "ix_standing_changes_learner_id_competency_id",
        "learner_id",
        "competency_id",
    ),
)
"""Every change of a standing, never changed, never deleted."""

recompute_queue = Table(
    "recompute_queue",
    metadata,
    _to("learners", "learner_id", primary_key=True),
    Column("token", BigInteger, nullable=False),
)
"""Learners whose standing may be out of date; written with the cause, removed with the cure."""

recompute_pairs = Table(
    "recompute_pairs",
    metadata,
    _of("learner_id", primary_key=True),
    _of("competency_id", primary_key=True),
    Column("token", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""As ``recompute_queue``, where only some competencies of a learner may be out of date."""

overrides = Table(
    "overrides",
    metadata,
    _id(),
    _to("learners", "learner_id"),
    _to("competencies", "competency_id"),
    Column("status", SmallInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", String(255), nullable=False),
    Column("given_at", Instant, nullable=False),
    Column("until", Instant),
    Column("revoked_at", Instant),
    Column("revoked_by", String(255), nullable=False, server_default=""),
    Index("ix_overrides_learner_id", "learner_id"),
)
"""What persons said in place of computed statuses; revoked, never deleted."""

exclusions = Table(
    "exclusions",
    metadata,
    _id(),
    _to("learners", "learner_id"),
    _to("line_items", "line_item_id"),
    Column("reason", Text, nullable=False),
    Column("author", String(255), nullable=False),
    Column("given_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("revoked_by", String(255), nullable=False, server_default=""),
    Index("ix_exclusions_learner_id", "learner_id"),
)
"""Evidence that persons took out, with the reason; revoked, never deleted."""

given_dates = Table(
    "given_dates",
    metadata,
    _id(),
    _to("learners", "learner_id"),
    _to("line_items", "line_item_id"),
    Column("occurred_at", Instant, nullable=False),
    Column("author", String(255), nullable=False),
    Column("given_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("revoked_by", String(255), nullable=False, server_default=""),
    Index("ix_given_dates_learner_id", "learner_id"),
)
"""Dates that teachers gave to pieces of evidence; revoked, never deleted."""

attempt_events = Table(
    "attempt_events",
    metadata,
    _id(),
    Column("recorded_at", Instant, nullable=False),
    *_attempt(is_key=False),
    _narrow("run_id", nullable=True),
    Index("ix_attempt_events_learner_id_line_item_id", "learner_id", "line_item_id"),
)
"""Everything that ``earlier_attempts`` ever said, never changed, never deleted."""

competency_links = Table(
    "competency_links",
    metadata,
    _to("competencies", "origin_id", primary_key=True),
    Column("kind", String(16), primary_key=True),
    _to("competencies", "destination_id", primary_key=True),
    CheckConstraint("kind IN ('precedes', 'exactMatchOf', 'replacedBy')", name="kind"),
    sqlite_with_rowid=False,
)
"""Progressions and equivalents between competencies, by CASE's names."""

pace_targets = Table(
    "pace_targets",
    metadata,
    _id(),
    _to("competencies", "competency_id"),
    _to("learners", "learner_id", nullable=True),
    _to("courses", "course_id", nullable=True),
    Column("by", Instant, nullable=False),
    Column("author", String(255), nullable=False, server_default=""),
    Index("ix_pace_targets_learner_id", "learner_id"),
    Index("ix_pace_targets_course_id", "course_id"),
    CheckConstraint("(learner_id IS NULL) <> (course_id IS NULL)", name="of_one"),
)
"""By when a competency is meant to be mastered: a learner's own plan, or a course's."""

passback_columns = Table(
    "passback_columns",
    metadata,
    _id(),
    _to("courses", "course_id"),
    _to("competencies", "competency_id"),
    Column("way", String(32), nullable=False),
    Column("ref", String(512), nullable=False),
    UniqueConstraint("course_id", "competency_id", "way"),
)

passback_marks = Table(
    "passback_marks",
    metadata,
    _to("passback_columns", "column_id", primary_key=True),
    _to("learners", "learner_id", primary_key=True),
    Column("words", String(255), nullable=False),
    Column("points", Float),
    Column("confirmed_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)
"""What Waymark knows to stand in the gradebook because it read it back."""

# In words of its own, not bound: an index of a part is used by who asks for that very part.
OPEN_LETTERS = text("state IN ('wanted', 'sent')")

outbox = Table(
    "outbox",
    metadata,
    _id(),
    _to("courses", "course_id"),
    _to("competencies", "competency_id"),
    Column("way", String(32), nullable=False),
    _to("learners", "learner_id"),
    Column("words", String(255), nullable=False),
    Column("points", Float),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("planned_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("settled_at", Instant),
    _to("runs", "run_id"),
    Index("ix_outbox_course_id_state", "course_id", "state"),
    Index("ix_outbox_run_id_state", "run_id", "state"),
    Index(
        "ux_outbox_open",
        *("course_id", "way", "competency_id", "learner_id", "state"),
        unique=True,
        sqlite_where=OPEN_LETTERS,
        postgresql_where=OPEN_LETTERS,
    ),
)
"""Marks to be written, then the record of how it went; of a mark one is wanted and one sent."""

runs = Table(
    "runs",
    metadata,
    _id(),
    _to("tenants", "tenant_id"),
    Column("cause", String(32), nullable=False),
    Column("is_full", Boolean, nullable=False),
    Column("is_dry", Boolean, nullable=False, server_default=false()),
    Column("phase", String(16), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Index("ix_runs_tenant_id_started_at", "tenant_id", "started_at"),
)

work_items = Table(
    "work_items",
    metadata,
    _id(),
    _to("runs", "run_id"),
    Column("phase", String(16), nullable=False),
    _to("courses", "course_id", nullable=True),
    Column("part", Integer, nullable=False, server_default="0"),
    Column("state", String(16), nullable=False),
    Column("fence", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("job", String(64), nullable=False),
    Column("enqueued_at", Instant),
    Column("lease_until", Instant),
    Column("not_before", Instant),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("cause", String(64), nullable=False),
    Column("message", Text, nullable=False),
    Column("scores_pulled", Integer, nullable=False),
    Column("scores_new", Integer, nullable=False),
    Column("scores_changed", Integer, nullable=False),
    Column("estimates", Integer, nullable=False),
    Column("statuses_changed", Integer, nullable=False),
    Column("pushed", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("api_calls", Integer, nullable=False),
    Column("scores_skipped", Integer, nullable=False, server_default="0"),
    Column("quota", Float),
    Column("platform_id", BigInteger),
    Index("ix_work_items_run_id_phase_state", "run_id", "phase", "state"),
)

work_notes = Table(
    "work_notes",
    metadata,
    _to("work_items", "work_item_id", primary_key=True),
    Column("cause", String(64), primary_key=True),
    Column("message", Text, nullable=False),
)
"""What an LMS granted less of than Waymark can use, as the work on an item found it."""

passback_due = Table(
    "passback_due",
    metadata,
    _of("course_id", primary_key=True),
    _of("learner_id", primary_key=True),
    Column("token", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Learners whose marks in a course may be out of date; written with the cause, as a standing is."""

passback_due_courses = Table(
    "passback_due_courses",
    metadata,
    _to("courses", "course_id", primary_key=True),
    Column("token", BigInteger, nullable=False),
)
"""As ``passback_due``, where any mark of the course may be out of date."""

passback_totals = Table(
    "passback_totals",
    metadata,
    _to("competencies", "competency_id", primary_key=True),
    Column("total", Integer, nullable=False),
)
"""How many competencies of each strand were assessed when its marks were last checked."""

refresh_requests = Table(
    "refresh_requests",
    metadata,
    _to("courses", "course_id", primary_key=True),
    Column("cause", String(16), nullable=False),
    Column("by", String(255), nullable=False, server_default=""),
    Column("requested_at", Instant, nullable=False),
)
"""Courses to be read before the next night: a teacher asked, an LMS told of news, a retry."""

course_signals = Table(
    "course_signals",
    metadata,
    _to("courses", "course_id", primary_key=True),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
)
"""Courses of which an LMS told news by itself, until their reading is asked for."""

run_alarms = Table(
    "run_alarms",
    metadata,
    _id(),
    _to("runs", "run_id"),
    _to("courses", "course_id", nullable=True),
    Column("kind", String(32), nullable=False),
    Column("message", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("seen_at", Instant),
    Column("seen_by", String(255), nullable=False, server_default=""),
    Index("ix_run_alarms_run_id", "run_id"),
)
"""What a run found that a person should look at although nothing failed."""

notice_targets = Table(
    "notice_targets",
    metadata,
    _id(),
    _to("tenants", "tenant_id"),
    Column("channel", String(16), nullable=False),
    Column("address", String(1024), nullable=False),
    Column("secret", Text, nullable=False, server_default=""),
    Column("kinds", String(255), nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("tenant_id", "channel", "address"),
    CheckConstraint("channel IN ('email', 'webhook')", name="channel"),
)
"""Who is told of runs and alarms, and how; a webhook's secret is sealed."""

notices = Table(
    "notices",
    metadata,
    _id(),
    _to("notice_targets", "target_id"),
    _to("runs", "run_id", nullable=True),
    Column("kind", String(32), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", Instant),
    Column("created_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("error", Text, nullable=False, server_default=""),
    Index("ix_notices_state", "state"),
)
"""Messages to be sent, then the record of how it went."""

policy_changes = Table(
    "policy_changes",
    metadata,
    _id(),
    _to("tenants", "tenant_id"),
    _to("schools", "school_id", nullable=True),
    _to("courses", "course_id", nullable=True),
    Column("kind", String(32), nullable=False),
    Column("subject", Text, nullable=False, server_default=""),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("by", String(255), nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("at", Instant, nullable=False),
    Index("ix_policy_changes_tenant_id_at", "tenant_id", "at"),
)
"""Who changed what, from what to what, and why: the trail of everything an administrator sets.

``subject`` names what was changed where it is no school, course or tenant: a framework, a draft.
"""

api_tokens = Table(
    "api_tokens",
    metadata,
    _id(),
    _to("tenants", "tenant_id"),
    Column("name", String(255), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("scopes", String(255), nullable=False),
    Column("made_by", String(255), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("used_at", Instant),
    UniqueConstraint("digest"),
    Index("ix_api_tokens_tenant_id", "tenant_id"),
)
"""Tokens of programs that ask the API: a digest of each, never the token."""

api_answers = Table(
    "api_answers",
    metadata,
    _to("api_tokens", "token_id", primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request", String(64), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("status", SmallInteger),
    Column("body", Text, nullable=False, server_default=""),
    Index("ix_api_answers_asked_at", "asked_at"),
)
"""What a request with an idempotency key was answered; no status while it is worked on."""

administrators = Table(
    "administrators",
    metadata,
    _id(),
    _to("tenants", "tenant_id"),
    _to("platforms", "platform_id"),
    Column("subject", String(255), nullable=False),
    Column("name", String(255), nullable=False),
    Column("role", String(16)),
    _to("schools", "school_id", nullable=True),
    Column("first_seen_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("chosen_by", String(255), nullable=False, server_default=""),
    Column("chosen_at", Instant),
    UniqueConstraint("tenant_id", "platform_id", "subject"),
)
"""Who opened Waymark as an administrator of an LMS, and what they may change here."""
