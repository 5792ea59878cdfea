"""`offhook`: the command line."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from orchestrator.commands import accounts, audit, backup, models, numbers, receipts, recordings, retention, users
from orchestrator.commands.call import call
from orchestrator.commands.doctor import doctor
from orchestrator.commands.restore import restore
from orchestrator.commands.up import up
from orchestrator.commands.worker import worker
from orchestrator.core.errors import ConfigError

# The rich help shows flags as if they wanted a value.
app = typer.Typer(no_args_is_help=True, pretty_exceptions_show_locals=False, rich_markup_mode=None)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"offhook {version('offhook')}")
        raise typer.Exit


@app.callback()
def offhook(
    told: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Self-hosted voice-to-voice AI phone agents."""


app.command()(up)
app.command()(worker)
app.command()(call)
app.command()(doctor)
app.command()(restore)
app.add_typer(models.app, name="models")
app.add_typer(users.app, name="users")
app.add_typer(accounts.app, name="accounts")
app.add_typer(numbers.app, name="numbers")
app.add_typer(audit.app, name="audit")
app.add_typer(retention.app, name="retention")
app.add_typer(receipts.app, name="receipts")
app.add_typer(recordings.app, name="recordings")
app.add_typer(backup.app, name="backup")


def main() -> None:
    """Run the command; a wrong setting or manifest is told in one line, without a traceback."""
    try:
        app()
    except ConfigError as error:
        typer.secho(f"offhook: {error}", fg=typer.colors.RED, err=True)
        sys.exit(2)
