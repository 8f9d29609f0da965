"""What some machines do slowly by themselves, and how a worker's process gets around it.

Nothing here changes a result, and where nothing is known of a machine nothing is done.
"""

import ctypes
import os
import re
from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")
_SWITCH = "NPY_DISABLE_CPU_FEATURES"
_WIDE = "X86_V4"
_FAMILY_OF_ZEN_4 = "25"
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 256 * 2**20
_OWN_MAPPING_BYTES = 32 * 2**20
"""The most that glibc takes for this threshold on 64 bits."""


def sort_quickly() -> None:
    """Have NumPy, which must not be imported yet, sort with AVX2 where AVX-512 is slow at it.

    Zen 4 stores what a comparison picks out by microcode, so NumPy's sort for AVX-512 takes five
    times as long there as the one for AVX2. What a person set stays as it is.

    Source: numpy/x86-simd-sort, issue 6; AMD, Software Optimization Guide for Zen 4, 2.11.2.
    """
    try:
        told = _CPU_INFO.read_text()
    except OSError:
        return
    if has_slow_wide_sort(told):
        os.environ.setdefault(_SWITCH, _WIDE)  # noqa: TID251 - NumPy's setting, not one of ours


def has_slow_wide_sort(cpu_info: str) -> bool:
    """Whether a processor is one that has AVX-512 and had better not sort with it.

    Args:
        cpu_info: What Linux tells in ``/proc/cpuinfo``.
    """
    first = cpu_info.partition("\n\n")[0]
    facts = dict(re.findall(r"^([^\t:]+?)[ \t]*:[ \t]*(.*)$", first, re.MULTILINE))
    is_zen = facts.get("vendor_id") == "AuthenticAMD"
    is_fourth = facts.get("cpu family") == _FAMILY_OF_ZEN_4
    return is_zen and is_fourth and "avx512f" in facts.get("flags", "").split()


def keep_freed_memory() -> bool:
    """Have glibc keep what is freed for what is asked for next, up to 256 MB.

    Columns of a partition take some megabytes each. By itself glibc gives each of them back to
    the kernel and asks for the next anew, whose pages the kernel then clears one by one.

    Returns:
        Whether it does; other C libraries are left alone.

    Source: mallopt(3).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    options = ((_MMAP_THRESHOLD, _OWN_MAPPING_BYTES), (_TRIM_THRESHOLD, _KEPT_BYTES))
    return all(mallopt(*option) == 1 for option in options)
