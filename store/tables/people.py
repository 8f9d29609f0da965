"""Districts, schools and people: who there is, and where they belong."""

from sqlalchemy import Boolean, Column, Index, String, Table, Text, UniqueConstraint, false

from store.tables.columns import Instant, metadata, row_id, to

tenants = Table(
    "tenants",
    metadata,
    row_id(),
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
    row_id(),
    to("tenants", "tenant_id"),
    Column("name", String(255), nullable=False),
    Column("passback_way", String(32), nullable=False),
    Column("mode", String(16), nullable=False, server_default="official"),
    Column("agreed_at", Instant),
    Column("agreed_by", String(255), nullable=False, server_default=""),
    UniqueConstraint("tenant_id", "name"),
)

school_refs = Table(
    "school_refs",
    metadata,
    to("platforms", "platform_id", primary_key=True),
    Column("ref", String(255), primary_key=True),
    to("schools", "school_id"),
)

learners = Table(
    "learners",
    metadata,
    row_id(),
    to("tenants", "tenant_id"),
    Column("sis_id", String(255)),
    Column("name", String(512), nullable=False),
    Column("sort_name", String(512), nullable=False),
    UniqueConstraint("tenant_id", "sis_id"),
)

learner_accounts = Table(
    "learner_accounts",
    metadata,
    to("platforms", "platform_id", primary_key=True),
    Column("ref", String(255), primary_key=True),
    to("learners", "learner_id"),
    Index("ix_learner_accounts_learner_id", "learner_id"),
)

enrolments = Table(
    "enrolments",
    metadata,
    to("courses", "course_id", primary_key=True),
    to("learners", "learner_id", primary_key=True),
    Column("state", String(16), nullable=False),
    Column("account_ref", String(255)),
    Index("ix_enrolments_learner_id", "learner_id"),
)

sections = Table(
    "sections",
    metadata,
    row_id(),
    to("courses", "course_id"),
    Column("ref", String(255), nullable=False),
    Column("title", String(512), nullable=False),
    Column("sis_id", String(255)),
    Column("is_group", Boolean, nullable=False),
    UniqueConstraint("course_id", "ref"),
)

section_members = Table(
    "section_members",
    metadata,
    to("sections", "section_id", primary_key=True),
    to("learners", "learner_id", primary_key=True),
    Index("ix_section_members_learner_id", "learner_id"),
)

guardianships = Table(
    "guardianships",
    metadata,
    to("courses", "course_id", primary_key=True),
    Column("guardian_ref", String(255), primary_key=True),
    to("learners", "learner_id", primary_key=True),
)
