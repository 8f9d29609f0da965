"""The registered platforms, as PyLTI1p3 asks for them."""

from typing import Any

from pylti1p3.deployment import Deployment
from pylti1p3.registration import Registration
from pylti1p3.tool_config.abstract import ToolConfAbstract
from sqlalchemy import Engine

from lti_tool.launch.refusals import DeploymentUnapproved, LoginRefused
from mapping.records import PlatformId
from store import registrations
from store.registrations import Platform
from store.session import reading


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


class Registry(ToolConfAbstract[Any]):
    """Finds platforms and deployments in the database; one issuer may have many clients."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

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
        with reading(self._engine) as connection:
            found = registrations.find_platforms(connection, iss, client_id or None)
        if len(found) != 1:
            raise LoginRefused("client_id_missing" if found else "platform_unknown")
        return KnownRegistration(found[0])

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
        with reading(self._engine) as connection:
            platform = registrations.platform_of(connection, platform_id)
        if platform is None or not platform.is_active:
            raise LoginRefused("platform_inactive")
        return KnownRegistration(platform)

    def require_deployment(self, platform_id: PlatformId, ref: str) -> None:
        """Check that an administrator approved an installation of Waymark.

        Raises:
            DeploymentUnapproved: It is not known, or known and not approved.
        """
        with reading(self._engine) as connection:
            found = registrations.find_deployment(connection, platform_id, ref)
        if found is None or not found.is_approved:
            raise DeploymentUnapproved("deployment_unapproved")
