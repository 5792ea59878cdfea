"""How soon a process gets a core when all of them are busy: the length of the time slice that it asks Linux for.

Of those who have not had their fair share, the scheduler runs whoever asks for the shorter slice first. An event loop
that works for a millisecond at a time waits less in this way, and takes no more than before; no privilege is needed.
Source: sched_setattr(2); EEVDF takes the slice from sched_runtime since Linux 6.12.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from typing import Final

PROMPT: Final = 1e-4
"""Seconds, the shortest that the kernel gives: for all that a caller waits for and that computes little."""

_SET, _GET = {"x86_64": (314, 315), "aarch64": (274, 275)}.get(platform.machine(), (-1, -1))
# struct sched_attr, version 0: size, policy, flags, nice, priority, runtime, deadline, period.
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")


def ask_for_slices(seconds: float) -> bool:
    """Ask for time slices of *seconds* for this thread and all that it starts from now on; 0 for the kernel's own.

    Whether it was heard: older kernels, other systems, and a thread that somebody has given a policy of its own stay as
    they are.
    """
    if platform.system() != "Linux" or _SET < 0 or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return False
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    wanted = round(seconds * 1e9)
    attributes = _ATTRIBUTES.pack(_ATTRIBUTES.size, os.SCHED_OTHER, 0, nice, 0, wanted, 0, 0)
    if ctypes.CDLL(None).syscall(_SET, 0, attributes, 0) != 0:
        return False
    return wanted in {0, round(slice_seconds() * 1e9)}


def slice_seconds() -> float:
    """The slices of this thread; 0 where the kernel does not tell."""
    found = ctypes.create_string_buffer(_ATTRIBUTES.size)
    if platform.system() != "Linux" or ctypes.CDLL(None).syscall(_GET, 0, found, _ATTRIBUTES.size, 0) != 0:
        return 0.0
    return float(_ATTRIBUTES.unpack(found.raw)[5]) / 1e9
