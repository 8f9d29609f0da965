"""A mail server in this process, which keeps what it is handed or refuses it."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from aiosmtpd.controller import Controller


@dataclass
class Post:
    """What arrived; ``refusal`` is an answer in place of taking it."""

    port: int
    mails: list = field(default_factory=list)
    refusal: str = ""

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd's name
        if self.refusal:
            return self.refusal
        self.mails.append(envelope)
        return "250 OK"


@contextmanager
def posting(host: str = "127.0.0.1") -> Iterator[Post]:
    with closing(socket.socket()) as probe:
        probe.bind((host, 0))
        post = Post(port=probe.getsockname()[1])
    controller = Controller(post, hostname=host, port=post.port)
    controller.start()
    try:
        yield post
    finally:
        controller.stop()
