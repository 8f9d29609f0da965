"""What a connector is given: the facts of one platform and the services it uses."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from connectors.addresses import Network
from connectors.http import HttpClient
from connectors.limiter import Limiter
from connectors.retries import Retries

if TYPE_CHECKING:
    from connectors.tokens import ServiceTokens


class PlatformKind(Enum):
    """Which LMS a platform is."""

    CANVAS = "canvas"
    MOODLE = "moodle"


class UserTokens(Protocol):
    """Tokens for an LMS's own API that a person authorised and that are renewed."""

    def get(self, http: HttpClient) -> str:
        """A token that may be used now.

        Raises:
            Unauthorized: The person or the LMS took the access back.
        """
        ...

    def renewed(self, http: HttpClient, *, refused: str) -> str:
        """Another token than the one that the LMS refused.

        Raises:
            Unauthorized: The person or the LMS took the access back.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformAccess:
    """How one platform is reached.

    Attributes:
        name: For messages, for example "Canvas Northside".
        kind: Which LMS it is.
        issuer: The LTI issuer.
        client_id: Waymark's LTI client id there; empty where LTI is not set up, and then no
            service of LTI Advantage is asked.
        token_url: Where service tokens are had.
        deployment_ref: The LTI deployment; Moodle's services need it (its tool type's id).
        api_url: The LMS's own address, without a path for its API and without a slash at the
            end, for example ``https://school.instructure.com``.
        api_token: Token of the service user for the LMS's own API; empty where there is none.
        audience: ``aud`` of token requests where it is not ``token_url``.
        user_tokens: Where somebody authorised Waymark in the browser; goes before ``api_token``.
        deployments: All LTI deployments there; Canvas has one for each school, by whose numbers
            it tells which tool gave a score.
    """

    name: str
    kind: PlatformKind
    issuer: str
    api_url: str
    client_id: str = ""
    token_url: str = ""
    deployment_ref: str = ""
    api_token: str = field(default="", repr=False)
    audience: str = ""
    user_tokens: UserTokens | None = field(default=None, repr=False, compare=False)
    deployments: Sequence[str] = ()

    @property
    def has_services(self) -> bool:
        """Whether LTI Advantage services can be asked."""
        return bool(self.client_id and self.token_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What a connector uses but does not own.

    Attributes:
        now: The clock; aware, UTC.
        sleep: Waits for seconds.
        limiter: The platform's pacing.
        tokens: Service tokens of all platforms.
        public_url: Where Waymark is.
        private_networks: Networks that may be asked although they are not public.
        draw: A number from 0 to 1, drawn anew at each call, which keeps workers apart.
        lock: Held by name while a column is looked for and made, so that two processes do not
            make it twice; ``RetryLater`` where it is not to be had.
    """

    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    limiter: Limiter
    tokens: "ServiceTokens"
    public_url: str
    private_networks: Sequence[Network] = ()
    draw: Callable[[], float] = lambda: 1.0
    lock: Callable[[str], AbstractContextManager[object]] = nullcontext


def open_client(access: PlatformAccess, services: Services) -> HttpClient:
    """The platform's HTTP client: asks the addresses of ``access`` and no other."""
    http = HttpClient(
        platform=access.name,
        addresses=(access.api_url, access.token_url),
        limiter=services.limiter,
        public_url=services.public_url,
        private_networks=services.private_networks,
    )
    http.retries = Retries(sleep=services.sleep, draw=services.draw)
    return http
