"""Why a login or launch is refused, named for what the person can do about it.

``reason`` is a short fixed word for the log, never part of what was sent. What the person reads
stands in ``lti_tool.errors``: one message for all proofs that failed, so that a stranger learns
nothing from the difference (an unknown key and a wrong signature look the same).
"""


class LaunchRefused(Exception):  # noqa: N818 - a refusal is an answer, not a fault
    """Waymark does not go on with this; use a subclass.

    Attributes:
        reason: A short fixed word for the log.
        platform: Waymark's number of the platform, 0 where it is not known yet.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.platform = 0


class RequestRefused(LaunchRefused):
    """The request does not have the form of a login or launch."""


class RequestTooLarge(RequestRefused):
    """The request, or a part of it, is larger than any LMS sends."""


class WrongMediaType(RequestRefused):
    """A launch comes as a form."""


class ForgedRequest(LaunchRefused):
    """A change that was not asked for by a page of the visit it is made in."""


class TooManyRequests(LaunchRefused):
    """More requests from one place than a school sends."""


class LoginRefused(LaunchRefused):
    """No registered platform, or not the right one, is named."""


class ProofRefused(LaunchRefused):
    """The launch is not proven to come from the LMS, for this browser, now and once."""


class ClaimsRefused(LaunchRefused):
    """The launch is proven, but it is no LTI 1.3 launch that Waymark can use."""


class MessageUnsupported(LaunchRefused):
    """A kind of LTI message that Waymark does not answer."""


class DeploymentUnapproved(LaunchRefused):
    """The platform is known, this installation of Waymark within it is not approved."""


class PlatformDeclined(LaunchRefused):
    """The LMS answered the login with an error instead of a launch."""


class InvitationRefused(LaunchRefused):
    """A registration without an invitation that is known, unused and not over."""


class SetupRefused(LaunchRefused):
    """An address for setting Waymark up that is unknown or over."""


class RegistrationOver(LaunchRefused):
    """A registration that was completed, is under way elsewhere, or waited too long."""


class RegistrationFailed(LaunchRefused):
    """An LMS that cannot be registered; ``told`` says why, for the person who wants it."""

    def __init__(self, reason: str, told: str) -> None:
        super().__init__(reason)
        self.told = told


class AccessLinkRefused(LaunchRefused):
    """An address for authorising access that is unknown, used, or over."""


class AccessOver(LaunchRefused):
    """A consent that was used already, waited too long, or began elsewhere."""


class AccessFailed(LaunchRefused):
    """A consent of which no access came; ``told`` says why, for the person who gave it."""

    def __init__(self, reason: str, told: str) -> None:
        super().__init__(reason)
        self.told = told


class KeySetUnavailable(LaunchRefused):
    """The platform's public keys cannot be had now, so nothing can be verified."""

    def __init__(self, reason: str = "key_set_unavailable") -> None:
        super().__init__(reason)
