"""Which network addresses Waymark connects to: public ones, and those the operator allows.

An address can come from outside: a platform names its key set, a registration names everything.
Whoever could make Waymark ask ``169.254.169.254`` or a neighbour in its own network would see
with its eyes. So a host is resolved once, every address found is judged, and the connection goes
to a judged address, not to the name: a name server that answers differently the second time is
not asked a second time (``connectors.transport``).
"""

import socket
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from connectors.errors import GiveUp, RetryLater

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

SETTING = "WAYMARK_PRIVATE_NETWORKS"
RESOLVE_SECONDS = 5.0

_HTTPS_PORT = 443
_TRANSLATED = ip_network("64:ff9b::/96")
_SIX_TO_FOUR = ip_network("2002::/16")
_GLOBAL_UNICAST = ip_network("2000::/3")
# What the standard library does not call private, in all the versions that are supported.
_NOT_PUBLIC = tuple(
    ip_network(text)
    for text in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2001:db8::/32", "3fff::/20")
)


def plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, or the address itself.

    Source: RFC 4291 section 2.5.5.2 (mapped), RFC 6052 (NAT64), RFC 3056 (6to4).
    """
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet.

    What 6to4 tunnels to is not: it is given up, and no two versions of Python agree on it.

    Source: IANA IPv4 and IPv6 Special-Purpose Address Registries; RFC 7526.
    """
    if address in _SIX_TO_FOUR:
        return False
    inner = plain(address)
    if isinstance(inner, IPv6Address) and inner not in _GLOBAL_UNICAST:
        return False
    if inner.is_multicast or inner.is_reserved:
        return False
    return inner.is_global and not any(inner in network for network in _NOT_PUBLIC)


def is_within(address: Address, networks: Sequence[Network]) -> bool:
    """Whether an address, in one of its spellings, lies in one of the networks."""
    inner = plain(address)
    return any(address in network or inner in network for network in networks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A host whose addresses were judged.

    Attributes:
        addresses: Where to connect to, in the system's order; at least one.
        is_allowed_network: Whether all of them lie in networks that the operator allows.
    """

    addresses: tuple[str, ...]
    is_allowed_network: bool


class Guard:
    """Judges hosts before they are connected to."""

    def __init__(
        self,
        *,
        platform: str,
        private_networks: Sequence[Network] = (),
        is_open_door: bool = False,
    ) -> None:
        """Take the rules.

        Args:
            platform: The platform's name, for messages.
            private_networks: Networks that may be asked although they are not public.
            is_open_door: Whether the address came with a request, not from an administrator:
                then only https at port 443 is asked, but in the allowed networks.
        """
        self._platform = platform
        self._networks = tuple(private_networks)
        self._is_open_door = is_open_door

    def check(self, scheme: str, host: str, *, port: int, seconds: float) -> Checked:
        """Resolve a host and judge every address that it has.

        Args:
            scheme: http or https.
            host: A name or an address, in any spelling the system understands.
            port: TCP port.
            seconds: How long to wait for a name server, at most.

        Returns:
            Where to connect to.

        Raises:
            GiveUp: An address is private, or the port is not to be asked.
            RetryLater: The name is not known, or not in time.
        """  # noqa: DOC502 - raised by _refuse()
        found = resolve(host, port, seconds=seconds)
        if not found:
            raise RetryLater(
                f"The host of {self._platform} ({host}) is not known to the name servers; the "
                "next run tries again.",
                cause="unknown_host",
                platform=self._platform,
            )
        is_allowed_network = all(is_within(address, self._networks) for address in found)
        if not is_allowed_network:
            self._refuse(scheme, host, port=port, found=found)
        addresses = tuple(dict.fromkeys(str(address) for address in found))
        return Checked(addresses=addresses, is_allowed_network=is_allowed_network)

    def allows(self, host: str) -> bool:
        """Whether all addresses of a host lie in networks that the operator allows."""
        if not self._networks:
            return False
        found = resolve(host, _HTTPS_PORT, seconds=RESOLVE_SECONDS)
        return bool(found) and all(is_within(address, self._networks) for address in found)

    def _refuse(self, scheme: str, host: str, *, port: int, found: Sequence[Address]) -> None:
        is_own = [is_within(address, self._networks) for address in found]
        is_fine = [is_public(one) or own for one, own in zip(found, is_own, strict=True)]
        if not all(is_fine):
            raise GiveUp(
                f"{self._platform} has a private address ({host}); Waymark connects to one only "
                f"where the setting {SETTING} lists its network.",
                cause="private_address",
                platform=self._platform,
            )
        if self._is_open_door and (scheme, port) != ("https", _HTTPS_PORT):
            raise GiveUp(
                f"{self._platform} is to be asked at port {port} by {scheme}; here Waymark asks "
                f"https at port 443 only, but in the networks that the setting {SETTING} lists.",
                cause="private_address",
                platform=self._platform,
            )


def resolve(host: str, port: int, *, seconds: float) -> tuple[Address, ...]:
    """All addresses of a host.

    Args:
        host: A name, or an address in any spelling the system takes: ``0x7f.1`` is one.
        port: TCP port.
        seconds: How long to wait at most; the system's own patience may be a minute.

    Returns:
        Addresses in the system's order, best first; none where the name is not known.
    """
    try:
        return _addresses(host, port, socket.AI_NUMERICHOST)
    except (OSError, ValueError):
        pass
    answer: Future[tuple[Address, ...]] = Future()

    def look_up() -> None:
        try:
            answer.set_result(_addresses(host, port, 0))
        except (OSError, ValueError) as error:
            answer.set_exception(error)

    # A name server cannot be interrupted, only left alone.
    threading.Thread(target=look_up, daemon=True).start()
    try:
        return answer.result(max(seconds, 0.0))
    except (OSError, ValueError):
        return ()


def _addresses(host: str, port: int, flags: int) -> tuple[Address, ...]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return tuple(ip_address(str(place[0])) for *_, place in found)
