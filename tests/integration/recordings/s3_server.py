"""A real S3 server on the loopback, for tests of what is kept in one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from pydantic import SecretStr

from telephony.recording import Objects, open_objects

BUCKET = "calls"
KEY_ID, SECRET = "offhook-tests", "a-secret-of-the-tests"
PORTS = ("s3.port", "s3.port.grpc", "filer.port", "filer.port.grpc", "master.port", "master.port.grpc")
VOLUME_PORTS = ("volume.port", "volume.port.grpc", "debug.port")
_PATIENCE = 60.0


@dataclass(slots=True)
class S3Server:
    """SeaweedFS, with its data in *folder*, started and killed at will."""

    folder: Path
    ports: dict[str, int] = field(default_factory=lambda: {name: _free_port() for name in (*PORTS, *VOLUME_PORTS)})
    process: subprocess.Popen[bytes] | None = None

    def objects(self, secret: str = SECRET) -> Objects:
        """How it is spoken to."""
        return Objects(
            location=f"s3://{BUCKET}/offhook",
            endpoint=f"http://127.0.0.1:{self.ports['s3.port']}",
            key_id=SecretStr(KEY_ID),
            secret=SecretStr(secret),
        )

    def start(self) -> None:
        """Return once it takes objects."""
        self.folder.mkdir(exist_ok=True)
        weed = Path(sys.executable).with_name("weed")
        off = ("-admin.ui=false", "-webdav=false", "-s3.port.iceberg=0", "-s3.port.lance=0")
        ports = [f"-{name}={port}" for name, port in self.ports.items()]
        with (self.folder.parent / "s3.log").open("ab") as log:
            self.process = subprocess.Popen(
                [weed, "mini", f"-dir={self.folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", *off, *ports],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder.parent,
                env={**os.environ, "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "S3_BUCKET": BUCKET},
            )
        store, deadline = open_objects(self.objects()), time.monotonic() + _PATIENCE
        while True:
            try:
                obstore.put(store, "ready", b"ready")
            except BaseError as error:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError((self.folder.parent / "s3.log").read_text()[-2000:]) from error
                time.sleep(0.2)
            else:
                return

    def kill(self) -> None:
        """As a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
