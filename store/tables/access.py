"""Access: the LMSs that there are, keys, invitations, tokens, and roles at the desk."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Index,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from store.tables.columns import Instant, metadata, row_id, to

platforms = Table(
    "platforms",
    metadata,
    row_id(),
    to("tenants", "tenant_id"),
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
    row_id(),
    to("platforms", "platform_id"),
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
    row_id(),
    to("tenants", "tenant_id"),
    Column("token_digest", String(64), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("name", String(255), nullable=False),
    Column("issuer", String(512), nullable=False),
    Column("api_url", String(1024), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    to("platforms", "platform_id", nullable=True),
    CheckConstraint("kind IN ('canvas', 'moodle')", name="kind"),
)

tool_keys = Table(
    "tool_keys",
    metadata,
    row_id(),
    Column("kid", String(64), nullable=False, unique=True),
    Column("private_key", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("signs_from", Instant),
    Column("retired_at", Instant),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    row_id(),
    to("tenants", "tenant_id"),
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
    to("api_tokens", "token_id", primary_key=True),
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
    row_id(),
    to("tenants", "tenant_id"),
    to("platforms", "platform_id"),
    Column("subject", String(255), nullable=False),
    Column("name", String(255), nullable=False),
    Column("role", String(16)),
    to("schools", "school_id", nullable=True),
    Column("first_seen_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("chosen_by", String(255), nullable=False, server_default=""),
    Column("chosen_at", Instant),
    UniqueConstraint("tenant_id", "platform_id", "subject"),
)
"""Who opened Waymark as an administrator of an LMS, and what they may change here."""
