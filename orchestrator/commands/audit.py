"""`offhook audit`: whether anybody has changed what is written in the audit log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.commands.operator_api import DATA, URL, OperatorApi

app = typer.Typer(no_args_is_help=True, help="Who did what.")


@app.callback()
def audit() -> None:
    """Who did what."""


@app.command()
def verify(
    head: Annotated[str, typer.Option(help="A head that an earlier run printed: is it still there?")] = "",
    data: Annotated[Path | None, DATA] = None,
    url: Annotated[str | None, URL] = None,
) -> None:
    """Compare every entry with the hash of the one before; exit code 1 when one is not as it was written.

    Keep the head that it prints where whoever runs the database cannot change it: with it, entries that were cut off
    the end are missed as well.
    """
    found = OperatorApi(data, url).ask("GET", "/audit/verification", **({"head": head} if head else {}))
    if found["broken_at"] is not None:
        typer.echo(f"entry {found['broken_at']} is not as it was written")
    elif found["known"] is False:
        typer.echo(f"{head} is not part of the log any more")
    else:
        typer.echo(f"{found['entries']} entries, intact; head {found['head'] or 'none'}")
    raise typer.Exit(0 if found["intact"] else 1)
