"""What went wrong with an LMS, named for what the caller should do.

Messages are for a person: what happened, what it means, what to do. They never hold a token,
and addresses in them are redacted before they get here.
"""

THROTTLED = "throttled"


class ConnectorError(Exception):
    """Something about an LMS; use a subclass.

    Attributes:
        platform: The platform's name, for the message's reader.
        cause: A short fixed word that groups like errors in reports.
    """

    def __init__(self, message: str, *, cause: str, platform: str = "") -> None:
        super().__init__(message)
        self.cause = cause
        self.platform = platform


class RetryLater(ConnectorError):  # noqa: N818 - named for what to do, not for what it is
    """The LMS is down, slow, throttling or in maintenance: the same call may succeed later.

    Attributes:
        after_seconds: How long to wait at least, where the LMS said so.
        is_hiccup: Whether a request that only asks may well succeed in a moment.
        is_everybodys: Whether the whole platform is waited for: nothing was sent, so whoever
            was refused has not failed.
        down_seconds: Since when the platform is left alone; 0 where it is not.
    """

    def __init__(
        self,
        message: str,
        *,
        cause: str,
        platform: str = "",
        after_seconds: float = 0.0,
        is_hiccup: bool = False,
    ) -> None:
        super().__init__(message, cause=cause, platform=platform)
        self.after_seconds = after_seconds
        self.is_hiccup = is_hiccup
        self.is_everybodys = False
        self.down_seconds = 0.0

    @property
    def is_throttle(self) -> bool:
        """Whether the LMS refused the request, undone, because others came too fast."""
        return self.cause == THROTTLED


class PlatformWaits(RetryLater):
    """Nothing was sent, for the platform as a whole is to be asked later."""

    def __init__(
        self, message: str, *, cause: str, after_seconds: float = 0.0, down_seconds: float = 0.0
    ) -> None:
        super().__init__(message, cause=cause, after_seconds=after_seconds)
        self.is_everybodys = True
        self.down_seconds = down_seconds


class Paused(RetryLater):
    """Nothing was sent, for a person paused Waymark."""


class GiveUp(ConnectorError):  # noqa: N818
    """The same call will fail again until a person changes something."""


class Unauthorized(GiveUp):
    """The token or key is missing, expired, revoked or lacks a right."""


class Gone(GiveUp):
    """The course, column or person is no longer there."""
