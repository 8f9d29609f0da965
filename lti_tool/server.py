"""The web process: gunicorn around the application."""

from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from bootstrap import logs
from bootstrap.container import Container, open_container
from lti_tool import create_app

_WORKERS = 2
_THREADS = 4


class _Logger(Logger):  # type: ignore[misc] # gunicorn has no types
    """Gunicorn's own lines look like all others."""

    def setup(self, cfg: Any) -> None:  # noqa: ANN401 - gunicorn's configuration
        super().setup(cfg)
        logs.use_for(self.error_log)


class _Server(BaseApplication):  # type: ignore[misc] # gunicorn has no types
    def __init__(self, container: Container) -> None:
        self._container = container
        super().__init__()

    def load_config(self) -> None:
        settings = self._container.settings
        host = f"[{settings.listen_on}]" if ":" in settings.listen_on else settings.listen_on
        self.cfg.set("bind", f"{host}:{settings.port}")
        self.cfg.set("workers", _WORKERS)
        # A browser opens connections ahead and leaves them idle: one such must not hold a process.
        self.cfg.set("worker_class", "gthread")
        self.cfg.set("threads", _THREADS)
        self.cfg.set("proc_name", "waymark-web")
        self.cfg.set("loglevel", self._container.settings.log_level.lower())
        self.cfg.set("logger_class", _Logger)
        self.cfg.set("control_socket_disable", True)  # noqa: FBT003 - gunicorn's interface

    def load(self) -> Any:  # noqa: ANN401 - a WSGI application
        # Called in each forked worker: connections are never carried over a fork.
        return create_app(open_container(self._container.settings, self._container.redis_url))


def serve(container: Container) -> None:
    """Serve until told to stop."""
    container.engine.dispose()
    _Server(container).run()
