"""A running PostgreSQL server, our child or a leftover: waited for and stopped through its pidfd, never by name."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Self

# Seconds granted to each signal: fast shutdown, immediate shutdown (the log repairs it), and the kernel's own.
_STOP_SIGNALS = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))


class PostgresProcess:
    """One server process. child: its Popen when it is ours, so that it can be reaped."""

    def __init__(self, pid: int, child: subprocess.Popen[bytes] | None = None) -> None:
        self.pid = pid
        self._child = child
        # A pidfd names this very process even after its number has been given to another one.
        self._pidfd = os.pidfd_open(pid)

    @classmethod
    def serving(cls, data: Path) -> Self | None:
        """The server that runs on the cluster in *data*, by its postmaster.pid; None when there is none."""
        try:
            pid = _postmaster(data)
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if Path(os.fsdecode(arguments[0])).name == "postgres" and os.fsencode(data) in arguments:
                return cls(pid)
        except (ValueError, FileNotFoundError, ProcessLookupError):
            pass
        return None

    async def exited(self) -> int | None:
        """Wait for its end; the exit status (negative: the signal), None for a process that is not our child."""
        gone = asyncio.Event()
        loop = asyncio.get_running_loop()
        # A loop knows one reader per descriptor; each waiter brings its own.
        descriptor = os.dup(self._pidfd)
        loop.add_reader(descriptor, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)
        return None if self._child is None else self._child.wait()

    async def stop(self) -> None:
        """End it: gently first, with force when it does not obey. Raises PermissionError for somebody else's server."""
        for number, patience in _STOP_SIGNALS:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)
            try:
                async with asyncio.timeout(patience):
                    await self.exited()
            except TimeoutError:
                continue
            return

    def close(self) -> None:
        """Let go of the process, which goes on if it has not ended."""
        os.close(self._pidfd)


def forget_stale_server(data: Path) -> None:
    """Remove a postmaster.pid that PostgreSQL would take for a rival's, although no server runs on *data*.

    That is one whose number some unrelated process has been given since, or one that was cut short. A number that
    nobody has is left to PostgreSQL, which finds in the file whether backends of the dead server are still there.
    """
    try:
        pid = _postmaster(data)
        if not Path(f"/proc/{pid}").exists():
            return
    except FileNotFoundError:
        return
    except ValueError:
        pass
    (data / "postmaster.pid").unlink(missing_ok=True)


def _postmaster(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
