"""What a cause of failure is called, and what it means for the courses that it hit."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """A cause for a person: what happened, and what it means for the courses it hit."""

    title: str
    text: str


_KEPT = "These courses keep what was known of them before; nothing is lost."
_CLOSED = "Nothing of these courses is read or written until that is put right."
_UNWRITTEN = "Statuses are computed; the gradebook stays as it is."

_BY_TITLE: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("The LMS did not answer", _KEPT): (
        "busy",
        "left_alone",
        "timeout",
        "unknown_host",
        "unreachable",
    ),
    ("The LMS was in trouble or in maintenance", _KEPT): (
        "broken_answer",
        "dbconnectionfailed",
        "dmlreadexception",
        "dmlwriteexception",
        "locked",
        "maintenance",
        "server_error",
        "sitemaintenance",
        "upgraderunning",
        "web_page",
    ),
    ("The LMS asked Waymark to slow down for too long", _KEPT): ("throttled",),
    ("The LMS refuses Waymark's access", _CLOSED): (
        "access_revoked",
        "accessexception",
        "invalidtoken",
        "no_access_token",
        "no_refresh_token",
        "no_token",
        "refused_access",
        "requireloginerror",
        "service_refused",
        "wsaccessuserdeleted",
        "wsaccessuserexpired",
        "wsaccessusernologin",
        "wsaccessusersuspended",
        "wsaccessuserunconfirmed",
    ),
    ("The LMS gives Waymark no service token", _CLOSED): (
        "clocks_apart",
        "keys_unreachable",
        "missing_scope",
        "no_service_token",
    ),
    ("The service user lacks a right", _CLOSED): (
        "errorcoursecontextnotvalid",
        "graphql_refused",
        "no_people",
        "no_service",
        "no_services",
        "nopermissions",
        "nopermissiontoviewgrades",
        "webservices_off",
    ),
    ("A stored secret cannot be opened", _CLOSED): ("sealed",),
    ("The LMS's address cannot be used safely", _CLOSED): (
        "certificate",
        "foreign_address",
        "foreign_issuer",
        "not_https",
        "private_address",
        "redirected",
    ),
    ("The LMS has it no longer", "What was read before is kept; nothing is written there."): (
        "column_gone",
        "course_gone",
        "invalidrecord",
        "not_found",
    ),
    ("The course takes no changes", "Its marks stay as they are."): ("course_closed",),
    ("Marks cannot be written in the way that was chosen", _UNWRITTEN): (
        "maximum_changed",
        "no_passback",
        "would_count",
    ),
    ("The LMS answered in a form that Waymark does not know", _KEPT): (
        "bad_line_item",
        "bad_request",
        "bad_score",
        "graphql",
        "includes_dropped",
        "paging_loop",
        "refused_request",
        "too_large",
        "unexpected_answer",
    ),
    ("Redis did not answer", _KEPT): ("no_redis",),
    ("A fault in Waymark", _KEPT): ("unexpected",),
}
_MEANINGS: Mapping[str, Meaning] = MappingProxyType(
    {
        cause: Meaning(title=title, text=text)
        for (title, text), causes in _BY_TITLE.items()
        for cause in causes
    }
)
_UNKNOWN = Meaning(title="Something else", text=_KEPT)


def meaning_of(cause: str) -> Meaning:
    """What a cause means; a general sentence where it has none of its own."""
    return _MEANINGS.get(cause, _UNKNOWN)
