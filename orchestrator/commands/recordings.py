"""`offhook recordings`: what was recorded, as a file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from orchestrator.commands.operator_api import DATA, URL, OperatorApi
from orchestrator.core.errors import ConfigError

app = typer.Typer(no_args_is_help=True, help="Recordings of calls.", rich_markup_mode=None)

# Seconds in which what is recorded becomes playable after its call.
_COMPLETION = 10.0


@app.callback()
def recordings() -> None:
    """Recordings of calls."""


@app.command()
def save(
    call: Annotated[UUID, typer.Argument(help="The id of the call.")],
    file: Annotated[
        Path | None, typer.Argument(help="Where to; <id>.wav when absent. A name in .ogg gets Opus.")
    ] = None,
    channel: Annotated[str, typer.Option(help="caller, agent, or both: caller left, agent right.")] = "both",
    data: Annotated[Path | None, DATA] = None,
    url: Annotated[str | None, URL] = None,
) -> None:
    """Save the recording of a call."""
    path = file or Path(f"{call}.wav")
    api = OperatorApi(data, url)
    deadline = time.monotonic() + _COMPLETION
    while not (told := api.ask("GET", f"/calls/{call}/recording"))["complete"]:
        if time.monotonic() > deadline:
            raise ConfigError(f"the recording of {call} is not complete yet; try again when the call is over")
        time.sleep(0.2)
    kind = "opus" if path.suffix == ".ogg" else "wav"
    size = api.save(told["url"], path, channel=channel, format=kind)
    typer.echo(f"{path}: {told['seconds']:.1f} s, {size} bytes")
