"""What to do about each cause of a failure, in one sentence for an administrator.

Causes are the fixed words of ``connectors.errors`` and of the work itself. Moodle's own error
codes are causes, too; those that no advice is kept for get the general one.
"""

from collections.abc import Mapping

_WAIT = "Nothing, where it was for a moment: the next run tries again, or try again now."
_RIGHTS = (
    'Renew the access or give its user the missing right ("waymark platform test" says which), '
    "then try again."
)
_ADDRESS = 'Correct the platform\'s addresses ("waymark platform add" again), then try again.'
_LMS = "Ask the LMS's administrator whether it is down or too slow at night; then try again."
_READD = "See in the LMS whether the course or column is still meant to be there; then try again."
_UPDATE = "Update Waymark, or report the reference of the run: the LMS may be newer than it."

_ADVICE: Mapping[str, str] = {
    **dict.fromkeys(
        ("broken_answer", "locked", "no_redis", "server_error", "throttled", "timeout"), _WAIT
    ),
    **dict.fromkeys(
        (
            "access_revoked",
            "accessexception",
            "errorcoursecontextnotvalid",
            "graphql_refused",
            "invalidtoken",
            "missing_scope",
            "no_access_token",
            "no_refresh_token",
            "no_service",
            "no_service_token",
            "no_services",
            "no_token",
            "nopermissions",
            "nopermissiontoviewgrades",
            "refused_access",
            "requireloginerror",
            "service_refused",
            "webservices_off",
            "wsaccessuserdeleted",
            "wsaccessuserexpired",
            "wsaccessusernologin",
            "wsaccessusersuspended",
            "wsaccessuserunconfirmed",
        ),
        _RIGHTS,
    ),
    **dict.fromkeys(
        (
            "certificate",
            "foreign_address",
            "foreign_issuer",
            "no_client_id",
            "not_https",
            "private_address",
            "redirected",
            "unknown_host",
        ),
        _ADDRESS,
    ),
    **dict.fromkeys(
        (
            "busy",
            "dbconnectionfailed",
            "dmlreadexception",
            "dmlwriteexception",
            "left_alone",
            "maintenance",
            "sitemaintenance",
            "unreachable",
            "upgraderunning",
            "web_page",
        ),
        _LMS,
    ),
    **dict.fromkeys(
        ("column_gone", "course_closed", "course_gone", "invalidrecord", "not_found"), _READD
    ),
    **dict.fromkeys(
        (
            "bad_line_item",
            "bad_request",
            "bad_score",
            "graphql",
            "includes_dropped",
            "paging_loop",
            "refused_request",
            "too_large",
            "unexpected",
            "unexpected_answer",
        ),
        _UPDATE,
    ),
    "clocks_apart": "Set the clocks of the LMS and of Waymark's machines by one time server.",
    "competency_not_in_course": "Add it to the course in the LMS, or choose another way.",
    "maximum_changed": "Set the column's maximum back in the LMS; Waymark does not write over it.",
    "no_passback": "Choose a way of writing for this course, or leave it out on purpose.",
    "no_people": "Give the service user the right to see who is in the course.",
    "paused": 'End the pause with "waymark resume"; what waited goes on at once.',
    "sealed": (
        "Set WAYMARK_FORMER_SECRET_KEYS to the key that was in force, or enter the token anew."
    ),
    "would_count": "Choose a way that does not count, or agree to marks that count.",
}
_GENERAL = "Read the message; when what it names is put right, try again."


def advice_for(cause: str) -> str:
    """What to do about a cause."""
    return _ADVICE.get(cause, _GENERAL)
