"""The figures that a monitoring system scrapes, and who may see them."""

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lti_tool import create_app
from store import sync_state
from store.session import writing
from store.sync_state import ItemState, Phase
from tests.workers.night import new_night
from workers import watching

TOKEN = "a token of the tests alone"


@pytest.fixture
def guarded(container):
    settings = replace(container.settings, metrics_token=TOKEN, private_networks=())
    return replace(container, settings=settings)


def asked(container, *, address="127.0.0.1", **headers):
    client = create_app(container, lambda _: ({}, None)).test_client()
    return client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address})


def samples(container):
    answer = asked(container)
    assert answer.status_code == 200, answer.text
    return {
        (one.name, tuple(one.labels.values())): one.value
        for family in text_string_to_metric_families(answer.text)
        for one in family.samples
    }


def test_an_empty_installation_has_figures(container):
    found = samples(container)

    assert found["waymark_workers", ()] == 0
    assert found["waymark_work_items", ("pending",)] == 0


def test_a_night_is_told_in_figures(container, clock):
    night = new_night(container.engine, clock)
    night.run()
    watching.see_to_watching(container)
    clock.advance(hours=3)

    found = samples(container)

    assert found["waymark_last_run_scores", ("District", "pulled")] == 3
    assert found["waymark_last_run_items", ("District", "pull", "done")] == 1
    assert found["waymark_last_run_marks", ("District", "confirmed")] >= 1
    assert found["waymark_last_good_run_age_seconds", ("District",)] == 3 * 3600
    assert found["waymark_last_run_in_progress", ("District",)] == 0
    assert found["waymark_cron_age_seconds", ()] == 3 * 3600
    assert found["waymark_platform_left_alone", ("District", "Canvas")] == 0


def test_failures_are_counted_by_cause(container, clock):
    night = new_night(container.engine, clock)
    run = night.begin()
    (work,) = night.reach(run, Phase.PLAN)
    with writing(container.engine) as connection:
        sync_state.finish(
            connection, work.lease, ItemState.FAILED, now=clock(), cause="no_token", message="No."
        )

    assert samples(container)["waymark_last_run_failures", ("no_token", "District")] == 1


def test_no_label_names_a_course_or_a_person(container, clock):
    new_night(container.engine, clock).run()

    text = asked(container).text

    assert "Algebra" not in text
    assert "Ada" not in text


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.5"}, 403),
        ("203.0.113.5", {}, 403),
        ("203.0.113.5", {"Authorization": f"Bearer {TOKEN}"}, 200),
        ("203.0.113.5", {"Authorization": "Bearer another"}, 403),
        ("203.0.113.5", {"Authorization": "Bearer "}, 403),
    ],
)
def test_figures_are_for_this_machine_and_who_has_the_token(guarded, address, headers, status):
    assert asked(guarded, address=address, **headers).status_code == status


def test_without_a_token_set_none_opens(container):
    away = asked(container, address="203.0.113.5", Authorization="Bearer ")

    assert away.status_code == 403
