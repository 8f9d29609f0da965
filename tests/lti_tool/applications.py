"""Web faces that tests use one after another: binding all its addresses costs a third of a second.

What an application knows of a district comes with its services, which are new each time.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from bootstrap.container import Container
from lti_tool import create_app
from lti_tool.launch.platform_keys import FetchJson
from lti_tool.launch.services import EXTENSION, make_services

_FREE: list[Flask] = []


@contextmanager
def application(container: Container, fetch_key_set: FetchJson | None = None) -> Iterator[Flask]:
    """A web face over this container. What is not taken back: new addresses, new hooks."""
    fetch = fetch_key_set or container.fetch_key_set
    app = _FREE.pop() if _FREE else create_app(container, fetch)
    config = dict(app.config)
    app.extensions[EXTENSION] = make_services(container, fetch)
    yield app
    app.config.clear()
    app.config.update(config)
    _FREE.append(app)
