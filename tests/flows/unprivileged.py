"""Denied permissions hold for root too, while a test wants it: Linux lets a thread drop the powers."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_VERSION_3 = 0x20080522
_OVERRIDE = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


@contextmanager
def denied(*paths: Path) -> Iterator[None]:
    """Inside of the block nobody can read the given files and folders."""
    modes = [path.stat().st_mode for path in paths]
    for path in paths:
        path.chmod(0)
    libc = ctypes.CDLL(None, use_errno=True)
    header, data = _Header(_VERSION_3, 0), (_Data * 2)()
    root = os.geteuid() == 0
    try:
        if root:
            assert libc.capget(ctypes.byref(header), data) == 0
            before = data[0].effective
            data[0].effective = before & ~_OVERRIDE
            assert libc.capset(ctypes.byref(header), data) == 0
        yield
    finally:
        if root:
            data[0].effective = before
            assert libc.capset(ctypes.byref(header), data) == 0
        for path, mode in zip(paths, modes, strict=True):
            path.chmod(mode)
