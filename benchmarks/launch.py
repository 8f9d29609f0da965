"""What a launch costs the server: ours with all its checks, beside PyLTI1p3 as its README uses it.

Both apps answer the same launches in this process, over the same Redis, turn by turn; what is
counted is the CPU time of this process for the login and the launch. The tokens are signed before.
"""

import io
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from flask import Flask, redirect
from flask_caching import Cache
from jwt.algorithms import RSAAlgorithm
from pylti1p3.contrib.flask.launch_data_storage.cache import FlaskCacheDataStorage
from pylti1p3.contrib.flask.message_launch import FlaskMessageLaunch
from pylti1p3.contrib.flask.oidc_login import FlaskOIDCLogin
from pylti1p3.contrib.flask.request import FlaskRequest
from pylti1p3.tool_config.dict import ToolConfDict

from benchmarks.timing import Row
from bootstrap.container import Container, open_container
from bootstrap.embedded import running_redis
from bootstrap.settings import load_settings
from lti_tool import create_app
from store import deployments, registrations, schema
from store.registrations import PlatformEntry
from store.session import writing

LAUNCHES = 200
BATCHES = 9
_TOOL = "https://waymark.example"
_ISSUER = "https://lms.example"
_CLIENT = "client"
_DEPLOYMENT = "1"
_LTI = "https://purl.imsglobal.org/spec/lti/claim/"
_ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"

Answer = tuple[str, list[tuple[str, str]]]


def run() -> list[Row]:
    """Measure logins with their launches a second of CPU, and signatures a second."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            {
                "WAYMARK_DATA_DIR": folder,
                "WAYMARK_DATABASE_URL": f"sqlite:///{Path(folder) / 'waymark.db'}",
                "WAYMARK_SECRET_KEY": "a secret key of the benchmark, no other",
            }
        )
        with running_redis(settings) as redis_url:
            container = open_container(replace(settings, public_url=_TOOL), redis_url)
            try:
                return _rows(container, redis_url, key)
            finally:
                container.close()


def _rows(container: Container, redis_url: str, key: rsa.RSAPrivateKey) -> list[Row]:
    jwks = {"keys": [{**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "k1"}]}
    with _served(jwks) as key_set_url:
        apps: dict[str, Flask] = {
            "ours": _ours(container, jwks),
            "peer": _peer(redis_url, key_set_url),
            "limit": _nothing(),
        }
        seconds = _measured(apps, key)
    words = {
        "ours": "Waymark: login + launch, every check, Redis",
        "peer": "PyLTI1p3 2.0.0 as in its README, Redis, key set cached: login + launch",
        "limit": "Flask answering two empty requests",
    }
    rows = [
        Row(benchmark="launch", role=name, what=words[name], rate=1 / median(seconds[name]))
        for name in apps
    ]
    return [*rows, *_signing(container, key)]


def _measured(apps: Mapping[str, Flask], key: rsa.RSAPrivateKey) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in apps}
    for batch in range(BATCHES + 1):
        for name, app in apps.items():
            spent = sum(_launch(app, key) for _ in range(LAUNCHES)) / LAUNCHES
            if batch:  # the first one warms up
                seconds[name].append(spent)
    return seconds


def _launch(app: Flask, key: rsa.RSAPrivateKey) -> float:
    """CPU seconds of a login and the launch that follows, by a browser that was never here.

    Raises:
        RuntimeError: The launch was refused, so that nothing was measured.
    """
    form = {
        "iss": _ISSUER,
        "client_id": _CLIENT,
        "login_hint": "7",
        "lti_message_hint": "m" * 600,
        "target_link_uri": f"{_TOOL}/lti/launch",
    }
    request = _environ("/lti/login", form, "")
    began = time.process_time()
    status, headers = _asked(app, request)
    spent = time.process_time() - began
    sent = parse_qs(urlsplit(dict(headers).get("Location", "")).query)
    cookies = "; ".join(v.partition(";")[0] for name, v in headers if name == "Set-Cookie")
    token = jwt.encode(_claims(sent.get("nonce", [""])[0]), key, "RS256", headers={"kid": "k1"})
    request = _environ(
        "/lti/launch", {"id_token": token, "state": sent.get("state", [""])[0]}, cookies
    )
    began = time.process_time()
    status, _ = _asked(app, request)
    spent += time.process_time() - began
    if not status.startswith(("200", "303")):
        raise RuntimeError(f"a launch of the benchmark was answered {status}")
    return spent


def _asked(app: Flask, environ: dict[str, Any]) -> Answer:
    told: list[Any] = []
    parts = app.wsgi_app(environ, lambda *answer: told.extend(answer))
    for _ in parts:
        pass
    getattr(parts, "close", lambda: None)()
    return told[0], told[1]


def _environ(path: str, form: Mapping[str, str], cookies: str) -> dict[str, Any]:
    body = urlencode(form).encode()
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "waymark.example",
        "SERVER_PORT": "443",
        "HTTP_HOST": "waymark.example",
        "HTTP_COOKIE": cookies,
        "HTTP_USER_AGENT": "Mozilla/5.0",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": "192.0.2.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def _claims(nonce: str) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": _ISSUER,
        "aud": _CLIENT,
        "sub": "5cfa6a1e-90b4-4a0b-9d4f-3a8d0b6f9a11",
        "iat": now,
        "exp": now + 3600,
        "nonce": nonce,
        "name": "Ada Lovelace",
        "given_name": "Ada",
        "family_name": "Lovelace",
        "email": "ada@lms.example",
        _LTI + "message_type": "LtiResourceLinkRequest",
        _LTI + "version": "1.3.0",
        _LTI + "deployment_id": _DEPLOYMENT,
        _LTI + "target_link_uri": f"{_TOOL}/lti/launch",
        _LTI + "resource_link": {"id": "link", "title": "Progress"},
        _LTI + "roles": [_ROLE],
        _LTI + "context": {"id": "course", "label": "M1", "title": "Mathematics 1"},
        _LTI + "custom": {"canvas_course_id": "101", "canvas_user_id": "7"},
        "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint": {
            "scope": ["https://purl.imsglobal.org/spec/lti-ags/scope/score"],
            "lineitems": f"{_ISSUER}/api/lti/courses/101/line_items",
        },
    }


def _ours(container: Container, jwks: dict[str, Any]) -> Flask:
    schema.migrate(container.engine)
    with writing(container.engine) as connection:
        tenant = registrations.save_tenant(connection, "District", "UTC")
        entry = PlatformEntry(
            kind="canvas",
            name="LMS",
            issuer=_ISSUER,
            client_id=_CLIENT,
            auth_url=f"{_ISSUER}/auth",
            token_url=f"{_ISSUER}/token",
            jwks_url=f"{_ISSUER}/jwks",
            api_url=_ISSUER,
            api_token="none",  # noqa: S106 - nothing is asked with it
        )
        saved = registrations.save_platform(connection, tenant, entry, secrets=container.secrets)
        deployments.save_deployments(connection, saved, [_DEPLOYMENT])
    return create_app(container, lambda _: (jwks, 3600))


@contextmanager
def _served(jwks: dict[str, Any]) -> Iterator[str]:
    """The platform's key set, for the peer, which fetches it once and keeps it in Redis."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(jwks).encode())

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/jwks"
        finally:
            server.shutdown()
            thread.join()


def _peer(redis_url: str, key_set_url: str) -> Flask:
    """The Flask example of PyLTI1p3's README, with its cache in Redis, without its cookie page."""
    app = Flask("peer")
    app.secret_key = "the peer's"  # noqa: S105 - signs nothing
    cache = Cache(app, config={"CACHE_TYPE": "RedisCache", "CACHE_REDIS_URL": redis_url})
    config = ToolConfDict(
        {
            _ISSUER: [
                {
                    "default": True,
                    "client_id": _CLIENT,
                    "auth_login_url": f"{_ISSUER}/auth",
                    "auth_token_url": f"{_ISSUER}/token",
                    "key_set_url": key_set_url,
                    "deployment_ids": [_DEPLOYMENT],
                }
            ]
        }
    )

    @app.post("/lti/login")
    def login() -> Any:  # noqa: ANN401 - the library has no types
        storage = FlaskCacheDataStorage(cache)  # type: ignore[no-untyped-call]
        begun = FlaskOIDCLogin(FlaskRequest(), config, launch_data_storage=storage)  # type: ignore[no-untyped-call]
        target = FlaskRequest().get_param("target_link_uri")  # type: ignore[no-untyped-call]
        return begun.redirect(target)

    @app.post("/lti/launch")
    def launch() -> Any:  # noqa: ANN401 - a Flask answer
        storage = FlaskCacheDataStorage(cache)  # type: ignore[no-untyped-call]
        message = FlaskMessageLaunch(FlaskRequest(), config, launch_data_storage=storage)  # type: ignore[no-untyped-call]
        message.set_public_key_caching(storage, cache_lifetime=7200)
        message.get_launch_data()
        return redirect(f"/page/{message.get_launch_id()}", 303)

    return app


def _nothing() -> Flask:
    app = Flask("nothing")
    app.add_url_rule("/lti/login", "login", lambda: "", methods=["POST"])
    app.add_url_rule("/lti/launch", "launch", lambda: "", methods=["POST"])
    return app


def _signing(container: Container, key: rsa.RSAPrivateKey) -> list[Row]:
    loaded = container.tool_key()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    ways: dict[str, tuple[str, Callable[[], object]]] = {
        "ours": ("a service assertion, key loaded once", lambda: _assertion(loaded.private_key)),
        "peer": ("the same as PyLTI1p3 does it, PEM each time", lambda: _assertion(pem)),
        "limit": (
            "one RSA-2048 signature by OpenSSL, nothing else",
            lambda: loaded.private_key.sign(b"x" * 300, PKCS1v15(), SHA256()),
        ),
    }
    return [
        Row(benchmark="signing", role=role, what=what, rate=1 / _cpu_seconds(act))
        for role, (what, act) in ways.items()
    ]


def _assertion(key: Any) -> str:  # noqa: ANN401 - a key object or PEM text
    claims = {"iss": _CLIENT, "sub": _CLIENT, "aud": f"{_ISSUER}/token", "jti": "x" * 32}
    return jwt.encode(claims, key, "RS256", headers={"kid": "k1"})


def _cpu_seconds(act: Callable[[], object]) -> float:
    act()
    spent = []
    for _ in range(300):
        began = time.process_time()
        act()
        spent.append(time.process_time() - began)
    return median(spent)
