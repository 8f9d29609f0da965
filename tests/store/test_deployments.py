"""Deployments: approved by a person, or waiting for one."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from store import deployments
from store.deployments import MOST_REQUESTS
from store.session import reading, writing
from tests.store.places import NOW, new_platform, new_tenant


@pytest.fixture
def moodle(db, district):
    return new_platform(db, district, "Moodle", kind="moodle")


def request(db, platform, ref, about=""):
    return deployments.request_deployment(db, platform, ref, about=about, now=NOW)


def test_a_deployment_belongs_to_its_platform(db, canvas):
    other = new_platform(db, new_tenant(db, "Other"), "Other")
    deployments.save_deployments(db, canvas, ["d"])

    assert deployments.find_deployment(db, canvas, "d").is_approved
    assert deployments.find_deployment(db, other, "d") is None


def test_a_deployment_can_lose_its_approval(db, canvas):
    deployments.save_deployments(db, canvas, ["d", "e"])

    deployments.save_deployments(db, canvas, ["d"], is_approved=False)

    assert not deployments.find_deployment(db, canvas, "d").is_approved
    assert deployments.find_deployment(db, canvas, "e").is_approved


def test_an_unknown_deployment_is_kept_and_waits(db, canvas):
    assert request(db, canvas, "new", about="North School, Canvas")

    (found,) = deployments.deployments_of(db, canvas)
    assert (found.ref, found.is_approved) == ("new", False)
    assert (found.about, found.requested_at) == ("North School, Canvas", NOW)


@pytest.mark.parametrize("is_approved", [True, False])
def test_a_known_deployment_is_not_changed_by_asking(db, canvas, is_approved):
    deployments.save_deployments(db, canvas, ["d"], is_approved=is_approved)

    assert not request(db, canvas, "d", about="somebody else")

    (found,) = deployments.deployments_of(db, canvas)
    assert (found.is_approved, found.about, found.requested_at) == (is_approved, "", None)


def test_no_more_than_a_hundred_wait_and_approved_ones_do_not_count(db, canvas):
    deployments.save_deployments(db, canvas, [f"approved {n}" for n in range(5)])

    kept = [request(db, canvas, f"d{n}") for n in range(MOST_REQUESTS + 3)]

    assert kept == [True] * MOST_REQUESTS + [False] * 3
    assert len(deployments.deployments_of(db, canvas)) == MOST_REQUESTS + 5


def test_a_full_list_of_one_platform_is_nothing_to_another(db, canvas, moodle):
    for n in range(MOST_REQUESTS):
        request(db, canvas, f"d{n}")

    assert request(db, moodle, "d0")


def test_what_fits_no_column_is_cut_or_not_kept(db, canvas):
    assert not request(db, canvas, "d" * 256)
    assert request(db, canvas, "d" * 255, about="a" * 2000)

    (found,) = deployments.deployments_of(db, canvas)
    assert found.about == "a" * 512


def test_an_approved_deployment_may_launch(db, district, canvas):
    request(db, canvas, "d")

    assert deployments.approve_deployment(db, district, canvas, "d")
    assert deployments.find_deployment(db, canvas, "d").is_approved


def test_another_tenant_can_approve_nothing(db, canvas):
    request(db, canvas, "d")

    assert not deployments.approve_deployment(db, new_tenant(db, "Other"), canvas, "d")
    assert not deployments.find_deployment(db, canvas, "d").is_approved


def test_a_deployment_that_nobody_named_cannot_be_approved(db, district, canvas):
    assert not deployments.approve_deployment(db, district, canvas, "d")
    assert deployments.deployments_of(db, canvas) == ()


def test_of_launches_that_name_it_at_once_one_keeps_the_deployment(engine):
    with writing(engine) as connection:
        platform = new_platform(connection, new_tenant(connection))

    def ask(_number):
        with writing(engine) as connection:
            return request(connection, platform, "d")

    with ThreadPoolExecutor(4) as pool:
        kept = list(pool.map(ask, range(4)))

    with reading(engine) as connection:
        assert len(deployments.deployments_of(connection, platform)) == 1
    assert sorted(kept) == [False, False, False, True]
