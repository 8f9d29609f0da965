"""Moodle's web services: how they are called, and what their errors mean.

Moodle answers nearly everything with status 200, in the reader's language; only the error code
says what is wrong.
"""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import TypeVar

import msgspec

from connectors.errors import ConnectorError, GiveUp, Gone, RetryLater, Unauthorized
from connectors.http import HttpClient, Reply, Request
from connectors.notes import Notes
from connectors.platform import PlatformAccess

T = TypeVar("T")

Argument = str | int | Sequence["Argument"] | Mapping[str, "Argument"]

_SILENT_SECONDS = 120.0
"""A grade report takes some 26 ms for each learner, and nothing is heard until it is done."""
_SERVICE_USER = "Ask Moodle's administrator to look at the service user:"
_UNAUTHORIZED = {
    "invalidtoken": "its token is not valid (Moodle deletes one that expired). Make a new token.",
    "accessexception": "the token expired or is limited to other addresses, the service is off, "
    "a function is missing in it, or the role lacks webservice/rest:use.",
    "errorcoursecontextnotvalid": "it may not see the course. Add moodle/course:view to its role.",
    "requireloginerror": "it may not see the course. Add moodle/course:view to its role.",
    "nopermissions": "its role lacks a capability. For gradebooks it needs "
    "gradereport/user:view, moodle/grade:viewall and moodle/grade:viewhidden; for people "
    "moodle/user:viewdetails and moodle/course:enrolreview.",
    "nopermissiontoviewgrades": "its role lacks gradereport/user:view or moodle/grade:viewall.",
    "wsaccessuserdeleted": "the account was deleted.",
    "wsaccessusersuspended": "the account is suspended.",
    "wsaccessuserunconfirmed": "the account is not confirmed.",
    "wsaccessuserexpired": "its password expired.",
    "wsaccessusernologin": "its way of logging in does not allow web services.",
}
_LATER = {
    "sitemaintenance": "is in maintenance",
    "upgraderunning": "is being upgraded",
    "dmlreadexception": "has trouble with its database",
    "dmlwriteexception": "has trouble with its database",
    "dbconnectionfailed": "has trouble with its database",
}


class _Failure(msgspec.Struct):
    errorcode: str = ""
    exception: str | None = None
    error: str | None = None


class _Function(msgspec.Struct):
    name: str


class Site(msgspec.Struct):
    """Who the service user is, and what its token's service offers; 0 where it is not told."""

    userid: int = 0
    functions: list[_Function] = []


class Webservice:
    """Calls web service functions as the service user.

    Source: Moodle 4.5, ``webservice/rest/server.php``.
    """

    def __init__(self, http: HttpClient, access: PlatformAccess) -> None:
        self.http = http
        self._access = access
        self._site: Site | None = None
        self.notes = Notes()

    @property
    def platform(self) -> str:
        """The platform's name."""
        return self._access.name

    @property
    def issuer(self) -> str:
        """The site's address, which is its LTI issuer too."""
        return self._access.issuer

    def call(self, function: str, arguments: Mapping[str, Argument], shape: type[T]) -> T:
        """Call a function that only reads: after a hiccup it is called again.

        Args:
            function: Its name.
            arguments: Booleans as 0 and 1; lists and mappings in PHP's brackets.
            shape: Of the answer.

        Returns:
            The answer.

        Raises:
            Unauthorized: There is no token, or web services are switched off.
        """  # noqa: DOC502 - raised by _answer()
        return self._answer(function, arguments, only_asks=True).decode(shape)

    def write(self, function: str, arguments: Mapping[str, Argument], shape: type[T]) -> T:
        """Call a function that changes something: it is sent once. See ``call``."""
        return self._answer(function, arguments, only_asks=False).decode(shape)

    def _answer(
        self, function: str, arguments: Mapping[str, Argument], *, only_asks: bool
    ) -> Reply:
        if not self._access.api_token:
            raise Unauthorized(
                f"{self.platform} has no access token. Enter one of its service user.",
                cause="no_token",
                platform=self.platform,
            )
        reply = self.http.send(
            Request(
                method="POST",
                url=f"{self._access.api_url}/webservice/rest/server.php",
                form=[
                    ("wstoken", self._access.api_token),
                    ("wsfunction", function),
                    ("moodlewsrestformat", "json"),
                    *flattened(arguments),
                ],
                passes={HTTPStatus.FORBIDDEN},
                read_seconds=_SILENT_SECONDS,
                only_asks=only_asks,
            )
        )
        if reply.status == HTTPStatus.FORBIDDEN:
            raise Unauthorized(
                f"{self.platform} has web services or their REST protocol switched off. Ask its "
                "administrator to switch them on.",
                cause="webservices_off",
                platform=self.platform,
            )
        self._refuse_failure(function, reply)
        return reply

    @property
    def site(self) -> Site:
        """The service user and its functions; asked once and remembered.

        A service that lacks even the function that lists them is taken to have none beyond
        those that Waymark cannot do without.
        """
        if self._site is None:
            try:
                self._site = self.call("core_webservice_get_site_info", {}, Site)
            except Unauthorized:
                self._site = Site()
        return self._site

    def offers(self, function: str) -> bool:
        """Whether the token's service has a function."""
        return any(one.name == function for one in self.site.functions)

    def _refuse_failure(self, function: str, reply: Reply) -> None:
        # An answer may be large; only an object can be a failure, and it says so at its head.
        head = reply.body[:400]
        if not head.lstrip().startswith(b"{") or b'"errorcode"' not in reply.body[:4000]:
            return
        failure = reply.decode(_Failure)
        if failure.errorcode and (failure.exception is not None or failure.error is not None):
            raise failure_of(self.platform, function, failure.errorcode)


def failure_of(platform: str, function: str, errorcode: str) -> ConnectorError:
    """The error that an error code of Moodle's stands for.

    Args:
        platform: The platform's name.
        function: What was called.
        errorcode: Moodle's word; never its message, which is translated.

    Returns:
        An error whose message says what to do.
    """
    if errorcode in _UNAUTHORIZED:
        return Unauthorized(
            f"{platform} refused {function}. {_SERVICE_USER} {_UNAUTHORIZED[errorcode]}",
            cause=errorcode,
            platform=platform,
        )
    if errorcode in _LATER:
        return RetryLater(
            f"{platform} {_LATER[errorcode]}; the next run tries again.",
            cause=errorcode,
            platform=platform,
        )
    if errorcode == "invalidrecord":
        return Gone(
            f"{platform} knows nothing of what {function} was asked for: the course was deleted, "
            "or this Moodle is too old to have the function.",
            cause=errorcode,
            platform=platform,
        )
    return GiveUp(
        f"{platform} refused {function} with the error code {errorcode}.",
        cause=errorcode,
        platform=platform,
    )


def flattened(arguments: Mapping[str, Argument]) -> Sequence[tuple[str, str]]:
    """Arguments as PHP reads them from a form: ``options[0][name]=onlyactive``."""
    return [pair for name, value in arguments.items() for pair in _pairs(name, value)]


def _pairs(name: str, value: Argument) -> Iterator[tuple[str, str]]:
    if isinstance(value, (str, int)):
        yield name, str(int(value)) if isinstance(value, bool) else str(value)
        return
    inner = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, one in inner:
        yield from _pairs(f"{name}[{key}]", one)
