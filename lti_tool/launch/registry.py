"""The registered platforms, as PyLTI1p3 asks for them, kept in memory while nothing changes.

Every login and launch asks Redis for its own record anyway, and gets the version of the
registrations with it: a platform that is suspended anywhere is suspended here at the next request.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pylti1p3.deployment import Deployment
from pylti1p3.registration import Registration
from pylti1p3.tool_config.abstract import ToolConfAbstract
from sqlalchemy import Engine

from lti_tool.launch.refusals import DeploymentUnapproved, LoginRefused
from mapping.records import PlatformId
from store import deployments, registrations
from store.registrations import Platform
from store.session import reading, writing

LONGEST_KEPT = timedelta(seconds=30)
"""After so long the database is asked again, should somebody have written to it directly."""


class RegistrationsChanged(Exception):  # noqa: N818 - named for what to do: ask again
    """What was kept in memory is out of date; the same question asked again finds the present."""


class KnownRegistration(Registration):
    """A platform in PyLTI1p3's form."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.set_issuer(platform.issuer)
        self.set_client_id(platform.client_id)
        # The library appends its own question mark, so the query is added afterwards.
        self.set_auth_login_url(platform.auth_url.partition("?")[0])
        self.set_auth_token_url(platform.token_url)
        self.set_key_set_url(platform.jwks_url)


@dataclass(slots=True, kw_only=True)
class _Kept:
    """What is known of one version; replaced whole, never mended."""

    version: str
    since: datetime
    by_client: dict[tuple[str, str], KnownRegistration] = field(default_factory=dict)
    by_id: dict[PlatformId, KnownRegistration] = field(default_factory=dict)
    approved: set[tuple[PlatformId, str]] = field(default_factory=set)


class Registry(ToolConfAbstract[Any]):
    """Finds platforms and deployments; one issuer may have many clients."""

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now
        self._kept = _Kept(version="", since=now())

    def note(self, version: str) -> bool:
        """Take the present version of the registrations.

        Returns:
            Whether what was answered so far still holds; where not, it is forgotten.
        """
        kept = self._kept
        if kept.version == version and self._now() - kept.since < LONGEST_KEPT:
            return True
        self._kept = _Kept(version=version, since=self._now())
        return False

    def check_iss_has_one_client(self, iss: str) -> bool:  # noqa: ARG002 - the library's signature
        """No issuer is taken to have one client."""
        return False

    def check_iss_has_many_clients(self, iss: str) -> bool:  # noqa: ARG002 - as above
        """Every issuer may have many clients."""
        return True

    def find_registration_by_params(
        self, iss: str, client_id: str, *args: object, **kwargs: object
    ) -> KnownRegistration:
        """The platform of an issuer and client id, or the issuer's only one.

        Args:
            iss: The issuer.
            client_id: Empty where the LMS did not say it.
            args: The library's; not needed.
            kwargs: The library's; not needed.

        Returns:
            An active platform.

        Raises:
            LoginRefused: There is none, or more than one.
        """
        del args, kwargs
        # Taken once: an answer that was read before a change must not be kept after it.
        kept = self._kept
        known = kept.by_client.get((iss, client_id))
        if known is not None:
            return known
        with reading(self._engine) as connection:
            found = registrations.find_platforms(connection, iss, client_id or None)
        if len(found) != 1:
            raise LoginRefused("client_id_missing" if found else "platform_unknown")
        # Only platforms are kept, never that there is none: strangers can name any number.
        kept.by_client[iss, client_id] = known = KnownRegistration(found[0])
        return known

    def find_registration_by_issuer(
        self, iss: str, *args: object, **kwargs: object
    ) -> KnownRegistration:
        """The issuer's only platform."""
        return self.find_registration_by_params(iss, "", *args, **kwargs)

    def find_deployment(self, iss: str, deployment_id: str) -> Deployment:
        """An approved deployment of the issuer's only platform."""
        return self.find_deployment_by_params(iss, deployment_id, "")

    def find_deployment_by_params(
        self, iss: str, deployment_id: str, client_id: str, *args: object, **kwargs: object
    ) -> Deployment:
        """An approved deployment, in the library's form."""
        platform = self.find_registration_by_params(iss, client_id, *args, **kwargs).platform
        self.require_deployment(platform.id, deployment_id)
        return Deployment().set_deployment_id(deployment_id)

    def registration_of(self, platform_id: PlatformId) -> KnownRegistration:
        """The platform that a login was made for.

        Raises:
            LoginRefused: It was removed or switched off since.
        """
        kept = self._kept
        known = kept.by_id.get(platform_id)
        if known is not None:
            return known
        with reading(self._engine) as connection:
            platform = registrations.platform_of(connection, platform_id)
        if platform is None or not platform.is_active:
            raise LoginRefused("platform_inactive")
        kept.by_id[platform_id] = known = KnownRegistration(platform)
        return known

    def require_deployment(self, platform_id: PlatformId, ref: str, *, about: str = "") -> None:
        """Check that an administrator approved an installation of Waymark.

        An unknown one is kept for an administrator to approve or not.

        Args:
            platform_id: Whose signature named the deployment.
            ref: The deployment.
            about: What the platform says of itself.

        Raises:
            DeploymentUnapproved: It is not known, or known and not approved.
        """
        kept = self._kept
        if (platform_id, ref) in kept.approved:
            return
        with reading(self._engine) as connection:
            found = deployments.find_deployment(connection, platform_id, ref)
        if found is None:
            with writing(self._engine) as connection:
                deployments.request_deployment(
                    connection, platform_id, ref, about=about, now=self._now()
                )
        if found is None or not found.is_approved:
            raise DeploymentUnapproved("deployment_unapproved")
        kept.approved.add((platform_id, ref))
