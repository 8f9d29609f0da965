"""A wire between two programs that a story can slow down, cut and pull out."""

import asyncio
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_CHUNK = 65_536
_AT_ONCE = struct.pack("ii", 1, 0)
Upstream = tuple[str, int] | str
"""Host and port, or the path of a unix socket."""


@dataclass(eq=False)
class Wire:
    """Carries the connections to one program.

    Attributes:
        name: For messages.
        upstream: Where the program listens.
        delay_seconds: How long each piece takes in each direction.
        is_pulled_out: Nothing gets through, and nobody is told: what is sent is lost in time.
        is_refused: New connections are broken off at once.
        port: Where the wire itself listens.
        cut: How many connections were broken off.
        callers: How many pieces came from each address.
    """

    name: str
    upstream: Upstream
    delay_seconds: float = 0.0
    is_pulled_out: bool = False
    is_refused: bool = False
    port: int = 0
    cut: int = 0
    callers: Counter[str] = field(default_factory=Counter)
    _until_cut: int | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop | None = None

    def sever(self) -> None:
        """Break off every connection there is now, without a goodbye."""
        self._call(self._sever)

    def cut_answer(self, after: int) -> None:
        """Let an answer end in its middle: the one that comes after so many more pieces."""
        self._until_cut = after

    def heal(self) -> None:
        """Carry everything again."""
        self.is_pulled_out = self.is_refused = False
        self.delay_seconds = 0.0
        self._until_cut = None

    async def serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Carry one connection to its end."""
        if self.is_refused:
            _reset(back)
            return
        try:
            server, forth = await self._reach()
        except OSError:
            _reset(back)
            return
        both = (back, forth)
        self._open.update(both)
        try:
            await asyncio.gather(
                self._carry(client, forth, both), self._carry(server, back, both, is_answer=True)
            )
        finally:
            self._open.difference_update(both)
            for end in both:
                end.close()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.upstream, str):
            return await asyncio.open_unix_connection(self.upstream)
        return await asyncio.open_connection(*self.upstream)

    async def _carry(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        both: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
        *,
        is_answer: bool = False,
    ) -> None:
        with suppress(OSError):
            while piece := await source.read(_CHUNK):
                if not is_answer:
                    self.callers[both[0].get_extra_info("peername")[0]] += 1
                if self.delay_seconds:
                    await asyncio.sleep(self.delay_seconds)
                while self.is_pulled_out:  # noqa: ASYNC110 - set by another thread
                    await asyncio.sleep(0.02)
                if is_answer and self._is_struck():
                    target.write(piece[: len(piece) // 2])
                    await target.drain()
                    break
                target.write(piece)
                await target.drain()
            else:
                if target.can_write_eof():
                    target.write_eof()
                return
        for end in both:
            _reset(end)

    def _is_struck(self) -> bool:
        if self._until_cut is None:
            return False
        self._until_cut -= 1
        if self._until_cut >= 0:
            return False
        self._until_cut = None
        self.cut += 1
        return True

    def _sever(self) -> None:
        self.cut += len(self._open) // 2
        for end in list(self._open):
            _reset(end)

    def _call(self, act: Callable[[], None]) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(act)


def _reset(end: asyncio.StreamWriter) -> None:
    with suppress(OSError, AttributeError):
        sock = end.get_extra_info("socket")
        if sock.family == socket.AF_INET:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    end.transport.abort()


@contextmanager
def carrying(*wires: Wire, host: str = "127.0.0.1") -> Iterator[None]:
    """Let wires carry, each on a port of its own, for the length of the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="wires")
    thread.start()
    opened: list[asyncio.Server] = []
    try:
        for wire in wires:
            wire._loop = loop
            opening = asyncio.start_server(wire.serve, host, 0)
            server = asyncio.run_coroutine_threadsafe(opening, loop).result(10)
            wire.port = server.sockets[0].getsockname()[1]
            opened.append(server)
        yield
    finally:
        asyncio.run_coroutine_threadsafe(_end(opened), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end(opened: list[asyncio.Server]) -> None:
    for server in opened:
        server.close()
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
