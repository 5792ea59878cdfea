"""`offhook retention`: erase now what has been kept for as long as its account wants."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.commands.operator_api import DATA, URL, OperatorApi

app = typer.Typer(no_args_is_help=True, help="How long what is kept of calls is kept.")


@app.callback()
def retention() -> None:
    """How long what is kept of calls is kept."""


@app.command()
def run(data: Annotated[Path | None, DATA] = None, url: Annotated[str | None, URL] = None) -> None:
    """Erase what is due in the first account, without waiting for the daily pass, and say how much that was."""
    api = OperatorApi(data, url)
    erased, more = Counter[str](), True
    while more:
        found = api.ask("POST", "/retention/runs")
        erased.update(found["erased"])
        more = found["more"]
    typer.echo(", ".join(f"{kind}: {count}" for kind, count in sorted(erased.items())) or "nothing is due")
