import socket
import threading
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.addresses import Guard, is_public, is_within, resolve
from connectors.errors import GiveUp, RetryLater

PUBLIC = "93.184.216.34"
PRIVATE = [
    "0.0.0.0",  # noqa: S104 - nothing is bound: it is one of the addresses to refuse
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:100::",
    "2002:a00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]


def answering(monkeypatch, *answers):
    """Name servers that give one answer after another; the last one is repeated."""
    waiting = list(answers)
    asked = []
    real = socket.getaddrinfo

    def fake(host, port, *arguments, **options):
        if options.get("flags") == socket.AI_NUMERICHOST:
            return real(host, port, *arguments, **options)
        asked.append(host)
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return [(0, 0, 0, "", (address, port)) for address in answer]

    monkeypatch.setattr(socket, "getaddrinfo", fake)
    return asked


def check(host, *, scheme="https", port=443, networks=(), is_open_door=False):
    guard = Guard(
        platform="Northside",
        private_networks=[ip_network(network) for network in networks],
        is_open_door=is_open_door,
    )
    return guard.check(scheme, host, port=port, seconds=2)


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_on_the_public_internet_is_refused(address):
    with pytest.raises(GiveUp) as caught:
        check(address)

    assert caught.value.cause == "private_address"
    assert "WAYMARK_PRIVATE_NETWORKS" in str(caught.value)


@pytest.mark.parametrize(
    "address", [PUBLIC, "2606:2800:220:1::1", "64:ff9b::5db8:d822", "::ffff:93.184.216.34"]
)
def test_a_public_address_is_where_the_connection_goes(address):
    assert check(address).addresses == (str(ip_address(address)),)


@pytest.mark.parametrize(
    "spelling", ["0x7f.1", "2130706433", "017700000001", "127.1", "0x7f000001", "localhost"]
)
def test_r05_odd_spellings_of_loopback_are_seen_through(spelling):
    with pytest.raises(GiveUp) as caught:
        check(spelling)

    assert caught.value.cause == "private_address"


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch):
    answering(monkeypatch, [PUBLIC, "10.0.0.1"])

    with pytest.raises(GiveUp):
        check("lms.example")


def test_a_private_address_that_the_operator_allows_is_asked():
    found = check("10.20.1.5", networks=["10.20.0.0/16"])

    assert found.addresses == ("10.20.1.5",)
    assert found.is_allowed_network


def test_what_the_operator_allows_says_nothing_of_other_private_networks():
    with pytest.raises(GiveUp):
        check("10.21.1.5", networks=["10.20.0.0/16"])


def test_a_mapped_address_belongs_to_the_network_of_its_inner_one():
    assert is_within(ip_address("::ffff:10.20.0.1"), [ip_network("10.20.0.0/16")])


@pytest.mark.parametrize(("scheme", "port"), [("https", 22), ("https", 8443), ("http", 80)])
def test_r05_an_open_door_asks_https_at_its_own_port_only(scheme, port):
    with pytest.raises(GiveUp):
        check(PUBLIC, scheme=scheme, port=port, is_open_door=True)


def test_an_open_door_asks_any_port_of_an_allowed_network():
    found = check(
        "10.20.1.5", scheme="http", port=8081, networks=["10.20.0.0/16"], is_open_door=True
    )

    assert found.is_allowed_network


def test_a_platform_that_an_administrator_entered_may_have_any_port():
    assert check(PUBLIC, port=8443).addresses == (PUBLIC,)


def test_a_name_that_is_not_known_is_for_later(monkeypatch):
    def unknown(_host, *_arguments, **_options):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(RetryLater) as caught:
        check("nowhere.example")

    assert caught.value.cause == "unknown_host"


def test_a_silent_name_server_is_not_waited_for(monkeypatch):
    is_over = threading.Event()

    def silent(_host, *_arguments, **options):
        if options.get("flags") == socket.AI_NUMERICHOST:
            raise socket.gaierror(-2, "not a number")
        is_over.wait(5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", silent)

    assert resolve("slow.example", 443, seconds=0.05) == ()
    is_over.set()


@pytest.mark.parametrize("host", ["", "a" * 300, "a\x00b", "..", "xn--\udcff"])
def test_a_name_that_is_none_has_no_address(host):
    assert resolve(host, 443, seconds=2) == ()


def test_hosts_of_allowed_networks_are_told_apart():
    guard = Guard(platform="Northside", private_networks=[ip_network("127.0.0.0/8")])

    assert guard.allows("127.0.0.1")
    assert not guard.allows(PUBLIC)
    assert not Guard(platform="Northside").allows("127.0.0.1")


@given(st.ip_addresses(v=4))
def test_every_way_to_write_an_ipv4_address_into_ipv6_is_judged_alike(inner):
    number = int(inner)
    forms = [
        ip_address(int(ip_address("::ffff:0:0")) + number),
        ip_address(int(ip_address("64:ff9b::")) + number),
    ]

    assert {is_public(form) for form in forms} == {is_public(inner)}


@given(st.ip_addresses())
def test_what_the_standard_library_calls_private_is_never_public(address):
    assert not (is_public(address) and (address.is_private or address.is_multicast))
