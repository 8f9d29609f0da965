"""Registering a platform as the web face sees it: its types, and one error in words for a person.

The web face may not import ``connectors``; it asks ``bootstrap.container`` and gets these.
"""

from connectors.registering import PlatformConfiguration, SupportedMessage
from connectors.registration_answers import RegistrationAnswer

__all__ = [
    "PlatformConfiguration",
    "RegistrationAnswer",
    "RegistrationRefused",
    "SupportedMessage",
]


class RegistrationRefused(OSError):  # noqa: N818 - named as its case is: nothing was registered
    """A platform's configuration or answer cannot be had or used; the message is for a person.

    Attributes:
        cause: A short fixed word for the log.
        may_retry: Whether the same attempt may succeed in a few minutes.
    """

    def __init__(self, message: str, *, cause: str, may_retry: bool) -> None:
        super().__init__(message)
        self.cause = cause
        self.may_retry = may_retry
