"""`offhook`: the command line."""

from __future__ import annotations

import sys

import typer

from orchestrator.commands import models
from orchestrator.commands.call import call
from orchestrator.commands.doctor import doctor
from orchestrator.commands.up import up
from orchestrator.core.errors import ConfigError

app = typer.Typer(
    help="Self-hosted voice-to-voice AI phone agents.", no_args_is_help=True, pretty_exceptions_show_locals=False
)
app.command()(up)
app.command()(call)
app.command()(doctor)
app.add_typer(models.app, name="models")


def main() -> None:
    """Run the command; a wrong setting or manifest is told in one line, without a traceback."""
    try:
        app()
    except ConfigError as error:
        typer.secho(f"offhook: {error}", fg=typer.colors.RED, err=True)
        sys.exit(2)
