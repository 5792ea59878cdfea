"""CPU and memory of a process tree."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.processes import named, tree, usage

SPIN = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
NESTED = (
    f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SPIN!r}], check=True); "
    "print('done', flush=True); input()"
)


def test_the_cpu_of_a_child_that_has_ended_is_counted() -> None:
    process = subprocess.Popen([sys.executable, "-c", NESTED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout
        with usage(process.pid, every=0.05) as used:
            assert process.stdout.readline() == "done\n"
        process.communicate("\n")
    assert 0.25 <= used.cpu < 3.0
    assert used.peak_rss_bytes > 2**20


def test_the_tree_holds_children_and_finds_them_by_command() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()", "my-marker"], stdin=subprocess.PIPE, text=True) as process:
        assert process.pid in tree(os.getpid())
        assert named(os.getpid(), "my-marker") == [process.pid]
        process.communicate("\n")


def test_a_process_that_is_gone_has_no_tree() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert tree(process.pid) == set()
