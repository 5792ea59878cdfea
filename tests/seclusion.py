"""Programs behind closed doors: in a network namespace that holds nothing but loopback.

Ray listens on every interface of the machine, whatever it is told.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# Who is not root becomes it for the namespace only, and stays who they are for everything else.
_AS_USER = () if os.geteuid() == 0 else ("--map-current-user", "--keep-caps")
_ALONE = ("unshare", *_AS_USER, "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")


def secluded(module: str, within: float) -> str:
    """What `python -m module` prints when it is alone; it must end with status 0 within so many seconds.

    Skips the test on a machine that does not let us make a namespace.
    """
    if subprocess.run([*_ALONE, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine does not let us make a network namespace")
    command = [*_ALONE, sys.executable, "-m", module]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=within)
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    return done.stdout
