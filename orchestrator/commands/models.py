"""`offhook models`: fetch, list and check the weights of the models."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn
from rich.table import Table

from inference.manifest import Manifest
from inference.registry import Registry, default_cache
from orchestrator.core.errors import ConfigError

DEFAULT_PROFILE = "cpu-tiny"
_PULLS_AT_ONCE = 4
_ABSENT = "is not here"
_PIPED_COLUMNS = 500  # a line a model for whatever reads it

app = typer.Typer(help="Fetch, list and check the weights of the models.", no_args_is_help=True, rich_markup_mode=None)

Names = Annotated[list[str] | None, typer.Argument(help="Models, by name; all of the profile's when none is given.")]
ProfileName = Annotated[
    str, typer.Option("--profile", envvar="OFFHOOK_PROFILE", help="The profile whose models are meant.")
]
Cache = Annotated[Path | None, typer.Option(envvar="OFFHOOK_CACHE", help="Where weights are kept.")]


@app.command()
def pull(
    names: Names = None,
    profile: ProfileName = DEFAULT_PROFILE,
    cache: Cache = None,
    again: Annotated[bool, typer.Option("--again", help="Fetch even what is here already.")] = False,
) -> None:
    """Fetch the models' files, check their hashes and prepare them; what is here already is left alone."""
    registry = Registry(cache=cache or default_cache())
    console = Console()
    try:
        manifests = _chosen(registry, names, profile)
        if again:
            for manifest in manifests:
                registry.weights.discard(manifest)
        pull_all(registry, manifests, console)
    except ConfigError as error:
        raise _refusal(console, error) from error
    here = "1 model is" if len(manifests) == 1 else f"{len(manifests)} models are"
    console.print(f"{here} in {registry.weights.cache}", highlight=False, soft_wrap=True)


@app.command("list")
def list_models(cache: Cache = None) -> None:
    """Every model that there is a manifest of, the profiles that use it, and whether it is here."""
    registry = Registry(cache=cache or default_cache())
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PIPED_COLUMNS)
    try:
        table = Table(box=None)
        for heading in ("kind", "model", "languages", "here"):
            table.add_column(heading, no_wrap=True)
        table.add_column("profiles")
        table.add_column("licence")
        used = {name: registry.profile(name) for name in registry.profiles()}
        for manifest in registry.manifests():
            users = [
                name
                for name, profile in used.items()
                if any(choice.model == manifest.name for choice in profile.engines.values())
            ]
            here = "yes" if registry.weights.is_pulled(manifest) else "no"
            first, *others = manifest.languages
            languages = f"{first} and {len(others)} more" if others else first
            table.add_row(manifest.kind, manifest.name, languages, here, " ".join(users), manifest.licence)
    except ConfigError as error:
        raise _refusal(console, error) from error
    console.print(table)


@app.command()
def verify(names: Names = None, profile: ProfileName = DEFAULT_PROFILE, cache: Cache = None) -> None:
    """Hash the files again and compare with the manifests. Exits 1 when a file is wrong or missing."""
    registry = Registry(cache=cache or default_cache())
    console = Console()
    try:
        manifests = _chosen(registry, names, profile)
    except ConfigError as error:
        raise _refusal(console, error) from error
    bad = []
    damaged = ""
    for manifest in manifests:
        fault = _fault(registry, manifest)
        told = f"{manifest.name}: {fault or 'good'}"
        console.print(told, style="red" if fault else "", highlight=False, soft_wrap=True, markup=False)
        if fault:
            bad.append(manifest.name)
            if fault != _ABSENT:
                damaged = "--again "
    if bad:
        console.print(f"{len(bad)} of {len(manifests)} are not good; mend with:", highlight=False)
        console.print(f"offhook models pull {damaged}{' '.join(bad)}", highlight=False, soft_wrap=True)
        raise typer.Exit(1)


def _fault(registry: Registry, manifest: Manifest) -> str:
    """What is wrong with the model's files; "" when nothing is."""
    if not registry.weights.is_pulled(manifest):
        return _ABSENT
    try:
        return "; ".join(registry.weights.verify(manifest))
    except ConfigError as error:  # such as a damaged record of the pull
        return str(error)


class _Stopped(Exception):
    """Raised inside a transfer that nobody waits for any more."""


def pull_all(registry: Registry, manifests: Sequence[Manifest], console: Console) -> None:
    """Pull *manifests*, some at once, with a progress bar each. Raises ConfigError, after all have been tried.

    Ctrl-C stops every transfer at its next byte; what has arrived is used by the next pull.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    stopped = Event()
    with Progress(*columns, console=console) as bars, ThreadPoolExecutor(_PULLS_AT_ONCE) as pool:
        tasks: dict[str, TaskID] = {}

        def progress(model: str, what: str, done: int, total: int | None) -> None:
            if stopped.is_set():
                raise _Stopped
            if model not in tasks:
                tasks[model] = bars.add_task(model)
            bars.update(tasks[model], description=f"{model} {what}", completed=done, total=total)

        pulls = [pool.submit(registry.pull, manifest, progress) for manifest in manifests]
        try:
            errors = [error for error in (pull.exception() for pull in pulls) if error]
        except KeyboardInterrupt:
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for error in errors:
        if not isinstance(error, ConfigError):
            raise error
    if errors:
        raise ConfigError("\n".join(str(error) for error in errors))


def _chosen(registry: Registry, names: Sequence[str] | None, profile: str) -> list[Manifest]:
    if names:
        return [registry.manifest(name) for name in names]
    return registry.of_profile(registry.profile(profile))


def _refusal(console: Console, error: ConfigError) -> typer.Exit:
    console.print(str(error), style="red", highlight=False, soft_wrap=True, markup=False)
    return typer.Exit(1)
