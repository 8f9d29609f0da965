"""Files of frameworks fetched from addresses for pages, which never wait for anybody's server.

What comes of it is kept for a day: a draft to be looked at, that nothing is newer, or why not. A
district fetches one file at a time, so nobody fills the database or the queue by asking often.
"""

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bootstrap import framework_import
from bootstrap.container import Container
from bootstrap.framework_import import ImportRefused
from connectors.framework_files import FetchedFile, Marks
from interchange.errors import FileRefused
from interchange.framework_file import FileFormat, format_of
from interchange.tabular import header_of
from mapping.records import TenantId
from store import framework_drafts
from store.framework_shelf import last_fetched
from store.session import reading, writing
from workers.queue import open_queue

log = logging.getLogger(__name__)

_JOB_SECONDS = 180
"""Longer than the longest fetch, which ends after two minutes."""
_LOST_AFTER = timedelta(seconds=2 * _JOB_SECONDS)
_KEPT_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """A file that is fetched.

    Attributes:
        address: Where from.
        draft: The draft that it became; None while there is none.
        is_unchanged: Whether nothing is newer there than what was brought in.
        trouble: Why it could not be had, for a person; empty where it could.
        is_lost: Whether it should long have been done.
    """

    address: str
    draft: int | None = None
    is_unchanged: bool = False
    trouble: str = ""
    is_lost: bool = False


def ask(container: Container, tenant: TenantId, address: str, *, by: str) -> str | None:
    """Have a file fetched.

    Args:
        container: Where.
        tenant: Who wants it.
        address: Where it is.
        by: The person who asks.

    Returns:
        The key under which it will be found; None where the district fetches another just now.
    """
    is_free = container.redis.set(_busy(tenant), "1", nx=True, ex=2 * _JOB_SECONDS)
    if not is_free:
        return None
    key = secrets.token_hex(8)
    name = _name(tenant, key)
    said = {"address": address, "by": by, "asked": container.now().isoformat()}
    for field, text in said.items():
        container.redis.hset(name, field, text)
    container.redis.expire(name, _KEPT_SECONDS)
    open_queue(container).enqueue(
        "workers.jobs.fetch_framework",
        *(int(tenant), key),
        at_front=True,
        job_timeout=_JOB_SECONDS,
        result_ttl=0,
        failure_ttl=_JOB_SECONDS,
    )
    return key


def fetch(container: Container, tenant: TenantId, key: str) -> Fetch | None:
    """How far a fetch is; None where the tenant has none of this key, or had it long ago."""
    kept: dict[Any, Any] = container.redis.hgetall(_name(tenant, key))
    if b"asked" not in kept:
        return None
    asked_at = datetime.fromisoformat(kept[b"asked"].decode())
    is_done = bool({b"draft", b"unchanged", b"trouble"} & kept.keys())
    return Fetch(
        address=kept[b"address"].decode(),
        draft=int(kept[b"draft"]) if b"draft" in kept else None,
        is_unchanged=b"unchanged" in kept,
        trouble=kept.get(b"trouble", b"").decode(),
        is_lost=not is_done and container.now() - asked_at > _LOST_AFTER,
    )


def work_out(container: Container, tenant: TenantId, key: str) -> None:
    """Fetch a file and keep what comes of it; a key that is gone is passed over."""
    name = _name(tenant, key)
    kept: dict[Any, Any] = container.redis.hgetall(name)
    if b"address" not in kept:
        return
    try:
        field, text = _fetched(
            container, tenant, kept[b"address"].decode(), by=kept[b"by"].decode()
        )
    except (ImportRefused, FileRefused) as error:
        field, text = "trouble", str(error)
    except Exception:
        log.exception("a framework of tenant %s", tenant)
        told = "Something unexpected happened; the worker's log says what. Try it again."
        container.redis.hset(name, "trouble", told)
        raise
    finally:
        container.redis.delete(_busy(tenant))
    container.redis.hset(name, field, text)


def _fetched(container: Container, tenant: TenantId, address: str, *, by: str) -> tuple[str, str]:
    with reading(container.engine) as connection:
        known = last_fetched(connection, tenant, address)
    marks = Marks(etag=known.etag, last_modified=known.last_modified)
    found = framework_import.fetched(container, address, marks)
    if found is None:
        return "unchanged", "1"
    form = _form_of(found)
    choices = {
        "form": form.value,
        "address": address,
        "etag": found.marks.etag,
        "last_modified": found.marks.last_modified,
    }
    with writing(container.engine) as connection:
        draft = framework_drafts.keep_draft(
            connection,
            tenant,
            name=address,
            content=found.content,
            choices=choices,
            by=by,
            now=container.now(),
        )
    return "draft", str(draft)


def _form_of(found: FetchedFile) -> FileFormat:
    """The format of what was fetched.

    Raises:
        FileRefused: It is empty, a web page, or nothing that holds a framework.
    """
    begins = found.content[:512].lstrip().lower()
    if not begins:
        raise FileRefused(["The address answers with an empty file."])
    if begins.startswith((b"<!doctype html", b"<html")):
        told = (
            "The address answers with a web page, not with a framework. Use the address of the "
            "CASE package itself; it holds /ims/case/v1p0/CFPackages/ or v1p1."
        )
        raise FileRefused([told])
    form = format_of(found.content)
    if form is not FileFormat.CASE:
        header_of(found.content)
    return form


def _name(tenant: TenantId, key: str) -> str:
    return f"waymark:framework-fetch:{tenant}:{key}"


def _busy(tenant: TenantId) -> str:
    return f"waymark:framework-fetch:{tenant}"
