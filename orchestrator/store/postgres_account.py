"""Which account of the operating system runs the server, and what that account must be able to reach.

PostgreSQL refuses to run as root. An Offhook that was started by root hands the server to an account of its own.
"""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypedDict

import structlog

from orchestrator.core.errors import ConfigError

log = structlog.get_logger()

SYSTEM_USER = "offhook-postgres"


class Identity(TypedDict, total=False):
    """Arguments of subprocess.Popen that make the child run as another account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class PostgresAccount:
    """The account that runs the server."""

    uid: int
    gid: int

    @classmethod
    def of(cls, data: Path) -> Self:
        """The owner of the cluster in *data*, or for a new one: the current user, a system account for root.

        Raises ConfigError when *data* belongs to somebody else, or the system account cannot be made.
        """
        if data.exists():
            owner = data.stat()
            if os.geteuid() not in (0, owner.st_uid):
                raise ConfigError(f"{data} belongs to user {owner.st_uid}: run as that user or choose another folder")
            if owner.st_uid != 0:
                return cls(owner.st_uid, owner.st_gid)
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        entry = _system_user()
        return cls(entry.pw_uid, entry.pw_gid)

    @property
    def identity(self) -> Identity:
        """What Popen needs to start a program under this account; empty when it is the current one."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, folder: Path) -> None:
        """Make *folder*, private to the account; it may exist. Raises ConfigError when it is somebody else's."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Not followed if it is a link: others can prepare one where they may write, such as in /tmp.
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), self.uid):
            raise ConfigError(f"{folder} belongs to user {found.st_uid}, not to the user of the server: remove it")
        if found.st_uid != self.uid:
            os.chown(folder, self.uid, self.gid, follow_symlinks=False)
        folder.chmod(0o700)

    def admit(self, path: Path) -> None:
        """Let the account pass through every folder above *path*: searching is granted, reading is not."""
        if not self.identity:
            return
        for folder in path.parents:
            mode = folder.stat().st_mode
            if not mode & stat.S_IXOTH:
                log.warning("folder_opened_for_passage", folder=str(folder), account=self.uid)
                folder.chmod(mode | stat.S_IXOTH)

    def admit_to_read(self, root: Path) -> None:
        """Let the account read and run everything under *root*, which holds programs only."""
        if not self.identity or not root.exists():
            return
        self.admit(root)
        for path in (root, *root.rglob("*")):
            mode = path.stat().st_mode
            wanted = stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
            if mode & wanted != wanted:
                path.chmod(mode | wanted)


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
        return pwd.getpwnam(SYSTEM_USER)
    except (OSError, subprocess.CalledProcessError, KeyError) as error:
        reason = getattr(error, "stderr", None) or error
        raise ConfigError(
            f"PostgreSQL cannot run as root and the account {SYSTEM_USER} cannot be made ({reason}): "
            "run as another user or set DATABASE_URL"
        ) from error
