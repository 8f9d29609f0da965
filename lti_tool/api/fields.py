"""What fields of bodies and queries may hold."""

from datetime import UTC, date, datetime, time
from typing import Annotated, TypeAlias

import msgspec
from sqlalchemy import Connection

from lti_tool.api.problems import Unusable
from lti_tool.cli_context import zone_of
from mapping.records import TenantId

_ANYTHING = r"^[^\x00]*$"
"""No database of ours keeps a null character."""
_SOMETHING = r"^[^\x00]*[^\x00\s][^\x00]*$"
_YEARS = range(1970, 3000)

Title: TypeAlias = Annotated[str, msgspec.Meta(max_length=255, pattern=_SOMETHING)]
Word: TypeAlias = Annotated[str, msgspec.Meta(max_length=255, pattern=_ANYTHING)]
Reason: TypeAlias = Annotated[str, msgspec.Meta(max_length=2000, pattern=_ANYTHING)]
NeededReason: TypeAlias = Annotated[str, msgspec.Meta(max_length=2000, pattern=_SOMETHING)]
Digest: TypeAlias = Annotated[str, msgspec.Meta(max_length=64, pattern="^[0-9a-f]*$")]

Seen: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=18, pattern="^[0-9]+$")]


def day_begins(connection: Connection, tenant: TenantId, day: date | None) -> datetime | None:
    """The beginning of a day in the district, None where none is named.

    Raises:
        Unusable: No calendar of a school reaches so far.
    """
    if day is None:
        return None
    if day.year not in _YEARS:
        raise Unusable(f"The day is of no year from {_YEARS.start} to {_YEARS.stop - 1}.")
    return datetime.combine(day, time.min, zone_of(connection, tenant)).astimezone(UTC)
