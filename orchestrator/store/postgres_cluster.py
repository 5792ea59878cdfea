"""The files of a database cluster: made once, then used by every server that runs on them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import structlog

from orchestrator.core.errors import ConfigError
from orchestrator.store.postgres_account import PostgresAccount
from orchestrator.store.postgres_programs import PostgresPrograms

log = structlog.get_logger()

ROLE = "offhook"
ENVIRONMENT = {"PATH": os.defpath, "LANG": "C", "TZ": "UTC"}

# sun_path of a UNIX socket address. Source: unix(7).
_SOCKET_PATH_LIMIT_BYTES = 107
_SOCKET_NAME = ".s.PGSQL.5432"


@dataclass(frozen=True, slots=True)
class PostgresCluster:
    """The cluster in the folder *data*, for the programs of one release."""

    data: Path
    programs: PostgresPrograms

    @property
    def sockets(self) -> Path:
        """Where its server listens: the cluster's own folder if a socket's path fits, else a short one in /tmp."""
        path = str(self.data / _SOCKET_NAME)
        # Commas separate hosts in an address, and "-k" splits at them too.
        if len(os.fsencode(path)) <= _SOCKET_PATH_LIMIT_BYTES and re.fullmatch(r"[\w/.+-]+", path, re.ASCII):
            return self.data
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"offhook-{digest}"

    def prepare(self) -> PostgresAccount:
        """Make the cluster if there is none; the account that its server runs under. Takes seconds.

        Raises ConfigError when the folder holds something else, or a cluster of another release or user.
        """
        account = PostgresAccount.of(self.data)
        for root in self.programs.roots:
            account.admit_to_read(root)
        account.admit(self.data)
        if not self.data.exists():
            self._make(account)
        self._refuse_other_release()
        if self.sockets != self.data:
            account.own(self.sockets)
        return account

    def _make(self, account: PostgresAccount) -> None:
        log.info("postgres_cluster_making", folder=str(self.data))
        # Made aside and renamed, so that a kill in the middle cannot leave half a cluster under the final name.
        unfinished = self.data.with_name("postgres.unfinished")
        if unfinished.exists():
            shutil.rmtree(unfinished)
        account.own(unfinished)
        result = subprocess.run(
            [
                self.programs.folder / "initdb",
                *("--pgdata", unfinished, "--username", ROLE, "--auth", "trust", "--no-instructions"),
                # The built-in provider sorts the same on every machine and after every upgrade of the system.
                *("--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            ],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            env=ENVIRONMENT,
            **account.identity,
        )
        if result.returncode != 0:
            raise ConfigError(f"PostgreSQL cannot make a cluster in {self.data.parent}: {result.stderr.strip()}")
        unfinished.rename(self.data)

    def _refuse_other_release(self) -> None:
        try:
            found = (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError as error:
            raise ConfigError(
                f"{self.data} exists but is no PostgreSQL cluster (no PG_VERSION): move it away"
            ) from error
        if found != str(self.programs.major):
            raise ConfigError(
                f"{self.data} was made by PostgreSQL {found}, this is {self.programs.major}: "
                "dump it with that release and restore it here, or choose another folder"
            )
