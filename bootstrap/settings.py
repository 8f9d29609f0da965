"""Settings from the environment: the only reader of it.

Nothing set gives a working single machine: SQLite and an embedded Redis under one data folder.
All problems are reported at once, each saying what to set.
"""

import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import time
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from connectors.mail import MailServer, parse_mail_url

T = TypeVar("T")
Networks = tuple[IPv4Network | IPv6Network, ...]

PREFIX = "WAYMARK_"
NAMES = (
    "WAYMARK_DATABASE_URL",
    "WAYMARK_DATA_DIR",
    "WAYMARK_FORMER_SECRET_KEYS",
    "WAYMARK_KEEP_RUN_DAYS",
    "WAYMARK_LISTEN_ON",
    "WAYMARK_LATE_AT",
    "WAYMARK_LOG_FORMAT",
    "WAYMARK_LOG_LEVEL",
    "WAYMARK_METRICS_TOKEN",
    "WAYMARK_PORT",
    "WAYMARK_PRIVATE_NETWORKS",
    "WAYMARK_PUBLIC_URL",
    "WAYMARK_REDIS_URL",
    "WAYMARK_SECRET_KEY",
    "WAYMARK_SMTP_URL",
    "WAYMARK_SWEEP_DAYS",
    "WAYMARK_SYNC_AT",
    "WAYMARK_SYNC_TIMEZONE",
    "WAYMARK_THREADS",
    "WAYMARK_TRUSTED_PROXIES",
    "WAYMARK_WORKERS",
)
# Platforms as a service set these two under their own names.
_ALSO_WITHOUT_PREFIX = ("DATABASE_URL", "REDIS_URL")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_LOOPBACK_NETWORKS: Networks = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_MOST_PROXIES = 5
_SECRET_CHARACTERS = 32
_HIDDEN = ("SECRET_KEY", "SECRET_KEYS", "_TOKEN", "SMTP_URL")
_TOKEN_CHARACTERS = 16
_LOG_FORMATS = ("text", "json")
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class SettingsError(Exception):
    """The environment cannot be used.

    Attributes:
        problems: One sentence for each problem, saying what to set.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this installation runs.

    Attributes:
        data_dir: Where the embedded database, Redis and the generated secret live.
        database_url: SQLAlchemy URL; ``sqlite`` or ``postgresql+psycopg``.
        redis_url: Configured Redis, or None for the embedded one.
        secret_key: Seals secrets in the database and signs what leaves it; 32 characters or
            more. Empty when none was set: ``bootstrap.embedded`` then keeps a generated one.
        former_secret_keys: Open what was sealed before ``secret_key`` was changed.
        public_url: Where browsers and LMSs reach Waymark; no slash at the end.
        port: TCP port of the web process.
        listen_on: The web process's own address; another than 127.0.0.1 is for containers and for
            a proxy on another machine.
        trusted_proxies: Proxies in front of the web process, each of which notes whom it serves;
            0 to 5.
        private_networks: Networks that Waymark may connect to although they are private; the
            machine itself only where the public URL is on it.
        sync_at: Local time of the nightly run.
        sync_timezone: The zone of ``sync_at``; None follows each district's own.
        sweep_days: After how many days each course is read whole again, which finds what no
            change feed shows; 0 leaves it to ``waymark sync --full``.
        keep_run_days: How many days the parts of a run are kept, 30 to 3,650; 0 for ever.
        workers: Worker processes that ``waymark demo`` and ``waymark sync`` start.
        threads: Work items that one worker process has in hand at a time, 1 to 64: most of a
            night is waiting for LMSs.
        log_level: DEBUG, INFO, WARNING or ERROR.
        log_format: ``text`` for persons, ``json`` for programs.
        late_at: Local time by which a night shall be over, in the zone of ``sync_at``.
        metrics_token: The bearer that may read ``/metrics`` from anywhere; empty for nobody.
        mail: Where notices by e-mail are handed in; None where none can be sent.
    """

    data_dir: Path
    database_url: str = field(repr=False)
    redis_url: str | None = field(repr=False)
    secret_key: str = field(repr=False)
    former_secret_keys: tuple[str, ...] = field(repr=False)
    public_url: str
    port: int
    listen_on: str
    trusted_proxies: int
    private_networks: Networks
    sync_at: time
    sync_timezone: ZoneInfo | None
    sweep_days: int
    keep_run_days: int
    workers: int
    threads: int
    log_level: str
    log_format: str = "text"
    late_at: time = time(6, 30)
    metrics_token: str = field(default="", repr=False)
    mail: MailServer | None = None


class _Reader:
    """Reads one variable after another and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def get(self, name: str, default: T, *, parse: Callable[[str], T], expected: str) -> T:
        """The parsed value of a variable, or the default where it is unset or wrong."""
        text = self.text(name)
        if not text:
            return default
        try:
            return parse(text)
        except (ValueError, OSError, KeyError):
            shown = "what it holds" if name.endswith(_HIDDEN) else repr(_redacted(text))
            self.problems.append(f"{PREFIX}{name} must be {expected}; {shown} is not.")
            return default

    def text(self, name: str) -> str:
        """A variable's text without surrounding space, empty where it is unset."""
        value = self._environ.get(PREFIX + name, "")
        if not value and name in _ALSO_WITHOUT_PREFIX:
            value = self._environ.get(name, "")
        return value.strip()


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read all settings.

    Args:
        environ: The environment; None reads the process's own.

    Returns:
        Settings that hold together.

    Raises:
        SettingsError: With every problem there is.
    """
    reader = _Reader(os.environ if environ is None else environ)
    _refuse_unknown(reader, os.environ if environ is None else environ)
    data_dir = reader.get(
        "DATA_DIR", Path(".waymark").absolute(), parse=_folder, expected="a folder"
    )
    port = reader.get("PORT", 8100, parse=_port, expected="a port from 1 to 65535")
    public_url = reader.get(
        "PUBLIC_URL",
        f"http://localhost:{port}",
        parse=_public_url,
        expected="https://HOST without a path (http only for localhost)",
    )
    settings = Settings(
        data_dir=data_dir,
        database_url=reader.get(
            "DATABASE_URL",
            f"sqlite:///{data_dir / 'waymark.db'}",
            parse=_database_url,
            expected="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME",
        ),
        redis_url=reader.get(
            "REDIS_URL",
            None,
            parse=_redis_url,
            expected="redis://HOST:PORT/0, rediss://... or unix://PATH",
        ),
        secret_key=reader.get(
            "SECRET_KEY",
            "",
            parse=_secret,
            expected=f"{_SECRET_CHARACTERS} characters or more, chosen at random",
        ),
        former_secret_keys=reader.get(
            "FORMER_SECRET_KEYS",
            (),
            parse=_secrets,
            expected=f"secret keys of {_SECRET_CHARACTERS} characters or more, with commas between",
        ),
        public_url=public_url,
        port=port,
        trusted_proxies=reader.get(
            "TRUSTED_PROXIES", 0, parse=_proxies, expected=f"a number from 0 to {_MOST_PROXIES}"
        ),
        private_networks=reader.get(
            "PRIVATE_NETWORKS",
            _LOOPBACK_NETWORKS if _is_local(public_url) else (),
            parse=_networks,
            expected="networks such as 10.20.0.0/16, with commas between",
        ),
        sync_at=reader.get(
            "SYNC_AT", time(2, 0), parse=_time_of_day, expected="a time of day such as 02:00"
        ),
        sync_timezone=reader.get(
            "SYNC_TIMEZONE",
            None,
            parse=ZoneInfo,
            expected="an IANA time zone such as America/Sao_Paulo",
        ),
        sweep_days=reader.get(
            "SWEEP_DAYS", 7, parse=_sweep_days, expected="a number of days from 0 to 60"
        ),
        listen_on=reader.get(
            "LISTEN_ON", "127.0.0.1", parse=_own_address, expected="an IP address of this machine"
        ),
        keep_run_days=reader.get(
            "KEEP_RUN_DAYS",
            400,
            parse=_keep_days,
            expected="0, or 30 to 3650 days",
        ),
        workers=reader.get("WORKERS", 2, parse=_up_to_64, expected="a number from 1 to 64"),
        threads=reader.get("THREADS", 8, parse=_up_to_64, expected="a number from 1 to 64"),
        log_level=reader.get(
            "LOG_LEVEL", "INFO", parse=_log_level, expected=f"one of {', '.join(_LOG_LEVELS)}"
        ),
        log_format=reader.get("LOG_FORMAT", "text", parse=_log_format, expected="text or json"),
        late_at=reader.get(
            "LATE_AT", time(6, 30), parse=_time_of_day, expected="a time of day such as 06:30"
        ),
        metrics_token=reader.get(
            "METRICS_TOKEN",
            "",
            parse=_token,
            expected=f"{_TOKEN_CHARACTERS} characters or more, chosen at random",
        ),
        mail=reader.get(
            "SMTP_URL",
            None,
            parse=parse_mail_url,
            expected="smtp[s]://USER:PASSWORD@HOST:PORT?from=ADDRESS",
        ),
    )
    _refuse_half_set(reader, settings)
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


def child_environment(changes: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with some settings replaced, for a process it starts."""
    return {**os.environ, **changes}


def environment_value(name: str) -> str | None:
    """A variable that a district file names, for a secret that the file shall not hold."""
    return os.environ.get(name)


def new_secret() -> str:
    """A secret key fit for ``WAYMARK_SECRET_KEY``."""
    return secrets.token_urlsafe(48)


def _refuse_unknown(reader: _Reader, environ: Mapping[str, str]) -> None:
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in NAMES:
            near = get_close_matches(name, NAMES, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the settings are {', '.join(NAMES)}."
            reader.problems.append(f"{name} is not a setting of Waymark; {hint}")


def _refuse_half_set(reader: _Reader, settings: Settings) -> None:
    """A public address means a real installation, which must not run on defaults."""
    if _is_local(settings.public_url):
        return
    needed = {
        "SECRET_KEY": f"{_SECRET_CHARACTERS} random characters or more, the same for all processes",
        "DATABASE_URL": "the database, for example postgresql://waymark@db/waymark",
        "REDIS_URL": "the Redis that all processes share, for example redis://redis:6379/0",
    }
    reader.problems.extend(
        f"{PREFIX}PUBLIC_URL is set, so {PREFIX}{name} must be too: {meaning}."
        for name, meaning in needed.items()
        if not reader.text(name)
    )


def _is_local(url: str) -> bool:
    return urlsplit(url).hostname in _LOOPBACK


def _redacted(text: str) -> str:
    # A password may hold any sign, also those that should have been quoted.
    shown = re.sub(r"^((?:[\w+]+://)?).*@", r"\1***@", text, flags=re.DOTALL)
    return shown.partition("?")[0]


def _folder(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise ValueError(text) from error


def _port(text: str) -> int:
    return _between(int(text), 1, 65_535)


def _own_address(text: str) -> str:
    return str(ip_address(text))


def _up_to_64(text: str) -> int:
    return _between(int(text), 1, 64)


def _sweep_days(text: str) -> int:
    return _between(int(text), 0, 60)


def _keep_days(text: str) -> int:
    return 0 if text == "0" else _between(int(text), 30, 3_650)


def _proxies(text: str) -> int:
    return _between(int(text), 0, _MOST_PROXIES)


def _networks(text: str) -> Networks:
    return tuple(ip_network(part.strip()) for part in text.split(","))


def _between(number: int, lowest: int, highest: int) -> int:
    if not lowest <= number <= highest:
        raise ValueError(number)
    return number


def _database_url(text: str) -> str:
    for scheme in ("postgres://", "postgresql://", "postgresql+psycopg://"):
        if text.startswith(scheme) and len(text) > len(scheme):
            return "postgresql+psycopg://" + text.removeprefix(scheme)
    if text.startswith("sqlite:///"):
        return text
    raise ValueError(text)


def _redis_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("redis", "rediss", "unix") or not (parts.netloc or parts.path):
        raise ValueError(text)
    if parts.port == 0:
        raise ValueError(text)
    return text


def _secret(text: str) -> str:
    if len(text) < _SECRET_CHARACTERS:
        raise ValueError(len(text))
    return text


def _token(text: str) -> str:
    if len(text) < _TOKEN_CHARACTERS or not text.isascii():
        raise ValueError(len(text))
    return text


def _secrets(text: str) -> tuple[str, ...]:
    return tuple(_secret(part.strip()) for part in text.split(","))


def _public_url(text: str) -> str:
    parts = urlsplit(text.rstrip("/"))
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    has_more = bool(parts.path or parts.query or parts.fragment or "@" in parts.netloc)
    if not is_safe or not parts.hostname or has_more or parts.port == 0:
        raise ValueError(text)
    return text.rstrip("/")


def _time_of_day(text: str) -> time:
    moment = time.fromisoformat(text)
    if moment.tzinfo is not None:
        raise ValueError(text)
    return moment


def _log_format(text: str) -> str:
    if text.lower() not in _LOG_FORMATS:
        raise ValueError(text)
    return text.lower()


def _log_level(text: str) -> str:
    if text.upper() not in _LOG_LEVELS:
        raise ValueError(text)
    return text.upper()
