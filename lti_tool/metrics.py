"""``/metrics``: the nights in figures, in the text format of Prometheus.

Everything is asked of the database and Redis when it is scraped, so that any number of web
processes say the same. Labels are districts, platforms and fixed words, never courses or people.
"""

import hmac
from collections.abc import Iterator
from datetime import datetime
from ipaddress import ip_address, ip_network

from flask import Blueprint, Response, abort, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bootstrap.breakers import breakers
from bootstrap.container import Container
from lti_tool.launch.services import services
from store import figures, notices
from store.figures import DistrictFigures, LastRun
from store.session import reading
from workers import queue, watching

blueprint = Blueprint("metrics", __name__)

_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_SCORES = {
    "pulled": "scores_pulled",
    "new": "scores_new",
    "changed": "scores_changed",
    "skipped": "scores_skipped",
}
_BEARER = "Bearer "


@blueprint.get("/metrics")
def metrics() -> Response:
    """The figures, for who may see them."""
    container = services().container
    if not _may_see(container):
        abort(403)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(NightFigures(container))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_see(container: Container) -> bool:
    """Whoever has the token, and without one who asks from this machine or an allowed network."""
    token = container.settings.metrics_token
    sent = request.headers.get("Authorization", "")
    if token and hmac.compare_digest(sent.encode(), f"{_BEARER}{token}".encode()):
        return True
    is_passed_on = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    if is_passed_on and not container.settings.trusted_proxies:
        # Some proxy that we were not told of: its own address says nothing of who asks.
        return False
    return _is_near(request.remote_addr or "", container)


def _is_near(address: str, container: Container) -> bool:
    try:
        asking = ip_address(address)
    except ValueError:
        return False
    return any(asking in net for net in (*_LOOPBACK, *container.settings.private_networks))


class NightFigures(Collector):
    """Collects the figures of all districts when it is asked."""

    def __init__(self, container: Container) -> None:
        self._container = container

    def collect(self) -> Iterator[Metric]:
        """Every family with its samples."""
        container = self._container
        now = container.now()
        with reading(container.engine) as connection:
            found = figures.district_figures(connection)
            unfinished = figures.unfinished_items(connection)
            silent = figures.silent_items(connection, now=now)
            messages = notices.depth(connection)
        yield from _of_districts(found, now)
        yield from _of_last_runs([(one.name, one.last) for one in found if one.last is not None])
        yield _family(
            "waymark_work_items",
            "Parts of runs that have not ended.",
            "state",
            {(state.value,): count for state, count in unfinished.items()},
        )
        yield _single("waymark_silent_work_items", "Parts whose worker fell silent.", silent)
        yield _family(
            "waymark_notices",
            "Messages to those who are told, by state.",
            "state",
            {(state.value,): count for state, count in messages.items()},
        )
        yield from _of_redis(container, now)


def _of_districts(found: tuple[DistrictFigures, ...], now: datetime) -> Iterator[Metric]:
    good = {(one.name,): one.last_good for one in found if one.last_good is not None}
    yield _family(
        "waymark_last_good_run_timestamp_seconds",
        "When the newest run ended in which nothing failed.",
        "district",
        {name: at.timestamp() for name, at in good.items()},
    )
    yield _family(
        "waymark_last_good_run_age_seconds",
        "How long ago that was.",
        "district",
        {name: (now - at).total_seconds() for name, at in good.items()},
    )
    yield _family(
        "waymark_paused",
        "1 while a district is paused.",
        "district",
        {(one.name,): int(one.is_paused) for one in found},
    )


def _of_last_runs(found: list[tuple[str, LastRun]]) -> Iterator[Metric]:
    yield from _of_course_of_runs(found)
    yield _family(
        "waymark_last_run_items",
        "Its parts.",
        "district phase state",
        {
            (name, phase.value, state.value): count
            for name, last in found
            for (phase, state), count in last.items.items()
        },
    )
    yield _family(
        "waymark_last_run_failures",
        "Parts that failed.",
        "district cause",
        {(name, cause): count for name, last in found for cause, count in last.failures.items()},
    )
    yield _family(
        "waymark_last_run_alarms",
        "Alarms that it raised.",
        "district kind",
        {(name, kind): count for name, last in found for kind, count in last.alarms.items()},
    )
    yield _family(
        "waymark_last_run_scores",
        "Scores that it read.",
        "district outcome",
        {
            (name, outcome): getattr(last.counts, field)
            for name, last in found
            for outcome, field in _SCORES.items()
        },
    )
    yield _family(
        "waymark_last_run_marks",
        "Its marks by where they are.",
        "district state",
        {(name, state.value): count for name, last in found for state, count in last.marks.items()},
    )
    yield _family(
        "waymark_last_run_lms_calls",
        "Requests to LMSs.",
        "district",
        {(name,): last.counts.api_calls for name, last in found},
    )
    yield _family(
        "waymark_last_run_quota_least",
        "The least that an LMS said was left of its allowance, in its own units.",
        "district",
        {(name,): last.counts.quota for name, last in found if last.counts.quota is not None},
    )


def _of_course_of_runs(found: list[tuple[str, LastRun]]) -> Iterator[Metric]:
    yield _family(
        "waymark_last_run_started_timestamp_seconds",
        "When the newest run began.",
        "district",
        {(name,): last.run.started_at.timestamp() for name, last in found},
    )
    yield _family(
        "waymark_last_run_in_progress",
        "1 while the newest run goes on.",
        "district",
        {(name,): int(last.run.finished_at is None) for name, last in found},
    )
    yield _family(
        "waymark_last_run_phase_seconds",
        "From the first taking up to the last end in a step.",
        "district phase",
        {
            (name, phase): seconds
            for name, last in found
            for phase, seconds in last.counts.seconds_by_phase.items()
        },
    )


def _of_redis(container: Container, now: datetime) -> Iterator[Metric]:
    yield _single("waymark_queue_jobs", "Jobs that wait in the queue.", queue.depth(container))
    yield _single("waymark_workers", "Workers that live.", queue.live_workers(container))
    sign = watching.cron_sign(container)
    if sign is not None:
        yield _single(
            "waymark_cron_age_seconds",
            "Since the last sign of life of waymark cron.",
            (now - sign.at).total_seconds(),
        )
    yield _family(
        "waymark_platform_left_alone",
        "1 while an LMS is left alone because it failed again and again.",
        "district platform",
        {names: int(is_open) for names, is_open in breakers(container).items()},
    )


def _family(  # noqa: PLR0917 - a family as the format writes it: name, help, labels, samples
    name: str, text: str, labels: str, samples: "dict[tuple[str, ...], float]"
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels.split())
    for values, number in samples.items():
        family.add_metric(values, number)
    return family


def _single(name: str, text: str, number: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=number)
