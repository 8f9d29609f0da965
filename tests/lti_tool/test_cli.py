"""The ``waymark`` command, as a person meets it."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def waymark(*arguments: str, data: Path, **environment: str):
    return subprocess.run(
        [sys.executable, "-m", "lti_tool", *arguments],
        env=environment_with(data, **environment),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def environment_with(data: Path, **changes: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("WAYMARK_")}
    return {**kept, "WAYMARK_DATA_DIR": str(data), **changes}


def processes_naming(text: str) -> list[str]:
    if Path("/proc/self/cmdline").exists():
        return [line for line in _command_lines() if text in line]
    listed = subprocess.run(["/bin/ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if text in line]


def _command_lines():
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")


def three_free_ports() -> int:
    while True:
        # Below those that systems give to whoever asks for any: seconds pass until these are used.
        port = 10_000 + secrets.randbelow(20_000)
        probes = [socket.socket() for _ in range(3)]
        try:
            for offset, probe in enumerate(probes):
                probe.bind(("127.0.0.1", port + offset))
        except OSError:
            continue
        else:
            return port
        finally:
            for probe in probes:
                probe.close()


@pytest.mark.redis
def test_syncing_without_a_migrated_database_says_what_to_run(tmp_path, redis_url):
    done = waymark("sync", data=tmp_path, WAYMARK_REDIS_URL=redis_url)

    assert done.returncode == 2
    assert "waymark migrate" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.redis
def test_syncing_without_a_district_says_what_to_run(tmp_path, redis_url):
    waymark("migrate", data=tmp_path, WAYMARK_REDIS_URL=redis_url)

    done = waymark("sync", data=tmp_path, WAYMARK_REDIS_URL=redis_url)

    assert done.returncode == 2
    assert "waymark district load" in done.stderr


def test_a_half_set_environment_is_told_whole_and_ends_with_two(tmp_path):
    done = waymark("migrate", data=tmp_path, WAYMARK_PUBLIC_URL="https://waymark.example")

    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 3
    assert "Traceback" not in done.stderr


def test_a_data_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("no folder")

    done = waymark("migrate", data=tmp_path / "file")

    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_database_that_does_not_answer_is_one_sentence(tmp_path, redis_url):
    done = waymark(
        "migrate",
        data=tmp_path,
        WAYMARK_REDIS_URL=redis_url,
        WAYMARK_DATABASE_URL="postgresql://nobody:secret@127.0.0.1:1/none",
    )

    assert done.returncode == 2
    assert "WAYMARK_DATABASE_URL" in done.stderr
    assert "secret" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_missing_district_file_is_one_sentence(tmp_path, redis_url):
    waymark("migrate", data=tmp_path, WAYMARK_REDIS_URL=redis_url)

    done = waymark(
        "district",
        "load",
        str(tmp_path / "none.json"),
        data=tmp_path,
        WAYMARK_REDIS_URL=redis_url,
    )

    assert done.returncode == 2
    assert "none.json" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_one_sentence(tmp_path, redis_url):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        done = waymark(
            "web",
            data=tmp_path,
            WAYMARK_REDIS_URL=redis_url,
            WAYMARK_PORT=str(taken.getsockname()[1]),
        )

    assert done.returncode == 2
    assert "cannot be used" in done.stderr
    assert "WAYMARK_PORT" in done.stderr


def test_an_unknown_command_ends_with_two(tmp_path):
    done = waymark("dance", data=tmp_path)

    assert done.returncode == 2
    assert "No such command" in done.stderr


@pytest.mark.story
@pytest.mark.usefixtures("redis_url")
def test_the_demo_ends_with_its_report_twice_and_leaves_no_process(tmp_path):
    port = str(three_free_ports())
    arguments = ("demo", "--once", "--json", "--scale", "small", "--port", port)

    first = waymark(*arguments, data=tmp_path / "data")
    second = waymark(*arguments, data=tmp_path / "data")

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    reports = [json.loads(done.stdout.strip().splitlines()[-1]) for done in (first, second)]
    assert reports[0]["pushed"] > 0
    assert reports[0]["courses"] > 0
    assert reports[1]["pushed"] == reports[1]["statuses_changed"] == 0
    assert reports[1]["scores_pulled"] * 10 <= reports[0]["scores_pulled"]
    assert processes_naming(str(tmp_path)) == []


@pytest.mark.story
@pytest.mark.usefixtures("redis_url")
def test_the_demo_stays_until_it_is_interrupted_and_leaves_no_process(tmp_path):
    port = three_free_ports()
    demo = subprocess.Popen(
        [sys.executable, "-m", "lti_tool", "demo", "--scale", "small", "--port", str(port)],
        env=environment_with(tmp_path / "data"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = []
    for line in demo.stdout:
        said.append(line)
        if "Ctrl-C" in line:
            break

    opened = urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz").status
    time.sleep(0.5)
    demo.send_signal(signal.SIGINT)
    demo.stdout.read()
    demo.stdout.close()

    assert opened == 200, "".join(said)
    assert demo.wait(60) == 130
    assert processes_naming(str(tmp_path)) == []
