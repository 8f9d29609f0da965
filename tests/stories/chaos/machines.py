"""Two machines on one wire: network namespaces, each with an address of its own, and a bridge."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.stories.chaos.world import Network


class NoMachinesError(Exception):
    """This machine cannot play two; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One of the machines: its name, its address and the plug of its cable."""

    name: str
    address: str
    plug: str

    @property
    def before(self) -> Sequence[str]:
        """Words before a command that run it there."""
        return ("ip", "netns", "exec", self.name)

    def unplug(self) -> None:
        """Pull the cable: nothing gets through, and nobody is told."""
        _run("ip", "link", "set", self.plug, "down")

    def plug_in(self) -> None:
        _run("ip", "link", "set", self.plug, "up")


@contextmanager
def two_machines() -> Iterator[tuple[Network, Sequence[Machine]]]:
    """Two machines that reach this one at ``Network.host``.

    Raises:
        NoMachinesError: Namespaces are for root on Linux, and some containers forbid them.
    """
    if os.geteuid() != 0 or shutil.which("ip") is None:
        raise NoMachinesError("network namespaces need root and the command ip")
    number = os.getpid() % 250 + 1
    start, bridge = f"10.213.{number}", f"wmbr{number}"
    with ExitStack() as stack:
        _made(stack, ("ip", "link", "add", bridge, "type", "bridge"), ("ip", "link", "del", bridge))
        _run("ip", "addr", "add", f"{start}.1/24", "dev", bridge)
        _run("ip", "link", "set", bridge, "up")
        machines = [_machine(stack, f"{number}{end}", bridge, f"{start}.{end}") for end in (2, 3)]
        yield (
            Network(
                host=f"{start}.1",
                private=f"{start}.0/24",
                machines=tuple(machine.before for machine in machines),
            ),
            machines,
        )


def _machine(stack: ExitStack, number: str, bridge: str, address: str) -> Machine:
    name, plug, socket = f"wmns{number}", f"wmv{number}a", f"wmv{number}b"
    _made(stack, ("ip", "netns", "add", name), ("ip", "netns", "del", name))
    _run("ip", "link", "add", plug, "type", "veth", "peer", "name", socket)
    _run("ip", "link", "set", socket, "netns", name)
    _run("ip", "link", "set", plug, "master", bridge, "up")
    _run("ip", "-n", name, "addr", "add", f"{address}/24", "dev", socket)
    for link in (socket, "lo"):
        _run("ip", "-n", name, "link", "set", link, "up")
    return Machine(name=name, address=address, plug=plug)


def _made(stack: ExitStack, make: Sequence[str], unmake: Sequence[str]) -> None:
    _run(*make)
    stack.callback(subprocess.run, unmake, check=False, capture_output=True)


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise NoMachinesError(f"{' '.join(command)}: {done.stderr.strip()}")
