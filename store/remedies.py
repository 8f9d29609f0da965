"""What a cause of failure means for a district, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A cause in words: what happened, what it means, what to do."""

    title: str
    meaning: str
    to_do: str


_AGAIN = "Try again once it answers; the next night does so by itself."
_ACCESS = "Nothing of these courses is read or written until access is given again."
_GIVE_ACCESS = "waymark platform test says what is missing. Give it, then try again."
_UNKNOWN = Remedy(
    title="Something that Waymark has no name for",
    meaning="These courses keep what was known of them before.",
    to_do="Read the sentence beside each course and the worker's log, then try again.",
)
_WAITS = "What was known before stays; nothing is lost."

_REMEDIES: Mapping[str, Remedy] = MappingProxyType(
    {
        **dict.fromkeys(
            ("unreachable", "timeout", "unknown_host", "busy", "left_alone"),
            Remedy(title="The LMS did not answer", meaning=_WAITS, to_do=_AGAIN),
        ),
        **dict.fromkeys(
            ("maintenance", "server_error", "web_page", "broken_answer"),
            Remedy(title="The LMS was in trouble or in maintenance", meaning=_WAITS, to_do=_AGAIN),
        ),
        "throttled": Remedy(
            title="The LMS asked Waymark to slow down for too long",
            meaning=_WAITS,
            to_do=(
                "Try again. If it happens each night, let the night begin earlier "
                "(WAYMARK_SYNC_AT) or ask whose other programs use the same token."
            ),
        ),
        **dict.fromkeys(
            ("no_token", "refused_access", "access_revoked", "no_access_token", "service_refused"),
            Remedy(title="The LMS refuses Waymark's access", meaning=_ACCESS, to_do=_GIVE_ACCESS),
        ),
        **dict.fromkeys(
            ("no_service_token", "missing_scope", "keys_unreachable", "clocks_apart"),
            Remedy(
                title="The LMS gives Waymark no service token",
                meaning=_ACCESS,
                to_do=_GIVE_ACCESS,
            ),
        ),
        **dict.fromkeys(
            ("no_services", "webservices_off", "no_people", "nopermissions"),
            Remedy(title="The service user lacks a right", meaning=_ACCESS, to_do=_GIVE_ACCESS),
        ),
        "sealed": Remedy(
            title="A stored secret cannot be opened",
            meaning=_ACCESS,
            to_do=(
                "Give the key it was sealed with in WAYMARK_FORMER_SECRET_KEYS, or enter the "
                "token anew; then try again."
            ),
        ),
        **dict.fromkeys(
            ("certificate", "private_address", "not_https", "foreign_address", "redirected"),
            Remedy(
                title="The LMS's address cannot be used safely",
                meaning=_ACCESS,
                to_do="Correct the address, or renew the certificate; then try again.",
            ),
        ),
        **dict.fromkeys(
            ("not_found", "course_gone", "column_gone"),
            Remedy(
                title="The LMS has it no longer",
                meaning="What was read before is kept; nothing is written there.",
                to_do="If it was deleted on purpose there is nothing to do; else try again.",
            ),
        ),
        "course_closed": Remedy(
            title="The course takes no changes",
            meaning="Its marks stay as they are.",
            to_do="If it should go on, extend its dates in the LMS; then try again.",
        ),
        **dict.fromkeys(
            ("no_passback", "would_count", "maximum_changed"),
            Remedy(
                title="Marks cannot be written in the way that was chosen",
                meaning="Statuses are computed; the gradebook stays as it is.",
                to_do="Choose another way for the course (waymark passback), then try again.",
            ),
        ),
        **dict.fromkeys(
            ("unexpected_answer", "bad_line_item", "bad_score", "too_large"),
            Remedy(
                title="The LMS answered in a form that Waymark does not know",
                meaning=_WAITS,
                to_do="Look for a newer Waymark; tell its makers which version the LMS has.",
            ),
        ),
        "no_redis": Remedy(
            title="Redis did not answer",
            meaning=_WAITS,
            to_do="See that it runs (waymark doctor), then try again.",
        ),
        "unexpected": Remedy(
            title="A fault in Waymark",
            meaning="These courses keep what was known of them before.",
            to_do="Read the worker's log, which names the item; then try again.",
        ),
    }
)


def remedy_for(cause: str) -> Remedy:
    """What a cause means; a sentence for any cause where it has none of its own."""
    return _REMEDIES.get(cause, _UNKNOWN)
