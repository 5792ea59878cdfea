"""`offhook backup`: everything an installation has, as one file; `offhook backup verify`: whether one is whole."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated, Any, Final, TypeVar

import typer

from orchestrator.backup.checking import checked
from orchestrator.backup.making import make_backup
from orchestrator.backup.manifest import Contents
from orchestrator.core.errors import ConfigError, VoiceError
from orchestrator.settings import read_settings

app = typer.Typer(help="Copies of everything, and whether they are whole.")

DATA: Final = typer.Option(help="The data folder of Offhook.")
# Calls come first, where this machine answers some.
_NICENESS: Final = 10
_Result = TypeVar("_Result")


@app.callback(invoke_without_command=True)
def backup(
    context: typer.Context,
    to: Annotated[
        Path, typer.Option(help="The file to write, or the folder for one with the time in its name.")
    ] = Path(),
    data: Annotated[Path | None, DATA] = None,
    objects: Annotated[bool, typer.Option(help="Recordings too, and vectors.")] = True,
) -> None:
    """Write database, recordings and vectors to one file, while calls go on. The keys are not in it: keep them apart.

    The file holds what callers said, in clear: docs/backup.md says what protects it.
    """
    if context.invoked_subcommand is not None:
        return
    settings = read_settings(data=data)
    path = to / datetime.now(UTC).strftime("offhook-%Y%m%dT%H%M%SZ.tar") if to.is_dir() else to
    os.nice(_NICENESS)
    with told():
        contents = run(make_backup(settings, path.absolute(), with_files=objects))
    typer.echo(f"{path}: {summary(contents)}")
    typer.echo(f"Not in it: the keys in {settings.data / 'keys'}. Keep a copy of them apart from this file.")


@app.command()
def verify(file: Annotated[Path, typer.Argument(help="A backup.")]) -> None:
    """Read all of a backup and compare it with its sums; exit code 1 when it is not whole."""
    with told(), reading(file) as content:
        typer.echo(f"{file}: whole; {summary(checked(content))}")


@contextmanager
def reading(file: Path) -> Iterator[IO[bytes]]:
    """The file, to be read. Raises ConfigError when it cannot be."""
    try:
        content = file.open("rb")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    with content:
        yield content


def summary(contents: Contents) -> str:
    """What is in a backup, in a line."""
    header, manifest = contents.header, contents.manifest
    parts = [f"{contents.rows} rows of {len(manifest.tables)} tables, schema {header.schema_version}"]
    parts += [
        f"{tree.files} {name}, {tree.bytes / 1e6:.1f} MB" + (f" ({tree.gone} removed meanwhile)" if tree.gone else "")
        for name, tree in manifest.trees.items()
    ]
    return f"{'; '.join(parts)}; made {header.made_at:%Y-%m-%d %H:%M:%S} UTC by Offhook {header.product}"


@contextmanager
def told() -> Iterator[None]:
    """What went wrong in one line, and exit code 1. A wrong setting is told by whoever runs the command."""
    try:
        yield
    except ConfigError:
        raise
    except VoiceError as error:
        typer.secho(f"offhook: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from error


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """What *work* gives. SIGTERM ends it as Ctrl-C does: it cleans up behind itself."""

    async def stoppable() -> _Result:
        this = asyncio.current_task()
        assert this is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
        return await work

    try:
        return asyncio.run(stoppable())
    except asyncio.CancelledError as error:
        raise typer.Exit(1) from error
