"""`offhook restore`: a backup becomes an installation again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.backup.restoring import restore_backup
from orchestrator.commands.backup import DATA, reading, run, summary, told
from orchestrator.settings import read_settings


def restore(
    file: Annotated[Path, typer.Argument(help="A backup.")],
    data: Annotated[Path | None, DATA] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Set aside what the place holds.")] = False,
) -> None:
    """Put a backup into an empty place, all of it or nothing. Offhook must not run there meanwhile.

    Sessions are not restored: everybody signs in again. Bring the folder `keys` back yourself: it is in no backup.
    """
    settings = read_settings(data=data)
    with told(), reading(file) as content:
        done = run(restore_backup(settings, content, replace=replace))
    typer.echo(f"{file}: restored; {summary(done.contents)}")
    for path in done.aside:
        typer.echo(f"What was there before is in {path}")
    for entry in done.broken:
        typer.secho(f"audit log of account {entry} is not as it was written", fg=typer.colors.RED, err=True)
    if not (settings.data / "keys").is_dir():
        typer.echo(f"Bring back {settings.data / 'keys'} before `offhook up`: it makes new keys otherwise")
    raise typer.Exit(1 if done.broken else 0)
