"""What is done about machines that are slow by themselves."""

import os
import platform
import subprocess
import sys

import pytest

from bootstrap import machine

ZEN_4 = """processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 17
model name\t: AMD EPYC 9R14
power management:
flags\t\t: fpu avx2 avx512f avx512bw

processor\t: 1
vendor_id\t: AuthenticAMD
"""
SWITCH = "NPY_DISABLE_CPU_FEATURES"
SET_AFTER_IMPORT = (
    f"import os, sys, workers; print(os.environ.get('{SWITCH}'), 'numpy' in sys.modules)"
)


@pytest.fixture
def cpu_info(tmp_path, monkeypatch):
    path = tmp_path / "cpuinfo"
    monkeypatch.setattr(machine, "_CPU_INFO", path)
    # Set first, so that what a test leaves there is taken away.
    monkeypatch.setenv(SWITCH, "")
    monkeypatch.delenv(SWITCH)
    return path


@pytest.mark.parametrize(
    ("told", "is_slow"),
    [
        (ZEN_4, True),
        (ZEN_4.replace("AuthenticAMD", "GenuineIntel"), False),
        (ZEN_4.replace("family\t: 25", "family\t: 26"), False),
        (ZEN_4.replace(" avx512f", ""), False),
        ("", False),
        ("processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd\n", False),
    ],
    ids=["zen 4", "intel", "zen 5", "zen 3", "empty", "arm"],
)
def test_only_zen_4_sorts_slowly_with_avx_512(told, is_slow):
    assert machine.has_slow_wide_sort(told) is is_slow


def test_avx_512_is_left_out_where_it_is_slow(cpu_info):
    cpu_info.write_text(ZEN_4)

    machine.sort_quickly()

    assert os.environ[SWITCH] == "X86_V4"


def test_what_a_person_set_stays(cpu_info, monkeypatch):
    cpu_info.write_text(ZEN_4)
    monkeypatch.setenv(SWITCH, "AVX512_SPR")

    machine.sort_quickly()

    assert os.environ[SWITCH] == "AVX512_SPR"


def test_where_nothing_is_known_nothing_is_done(cpu_info):
    assert not cpu_info.exists()

    machine.sort_quickly()

    assert SWITCH not in os.environ


def test_a_workers_process_begins_before_numpy_is_there():
    told = subprocess.run(
        [sys.executable, "-c", SET_AFTER_IMPORT],
        env={**os.environ, SWITCH: "AVX512_SPR"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert told.split() == ["AVX512_SPR", "False"]


def test_freed_memory_is_kept_by_glibc():
    assert machine.keep_freed_memory() is (platform.libc_ver()[0] == "glibc")
