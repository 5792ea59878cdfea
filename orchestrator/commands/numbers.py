"""`offhook numbers`: which account of the running Offhook has which number."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console
from rich.table import Table

from orchestrator.commands.operator_api import DATA, URL, OperatorApi
from orchestrator.core.errors import ConfigError
from orchestrator.core.events import FIRST_ACCOUNT

app = typer.Typer(no_args_is_help=True, help="Which account has which number.")

Account = Annotated[str, typer.Option(help="Its id or its name; the first account when absent.")]
_NUMBER = typer.Argument(help="A phone number in any spelling, or a SIP user part.")


@app.command()
def add(
    number: Annotated[str, _NUMBER],
    account: Account = str(FIRST_ACCOUNT),
    data: Annotated[Path | None, DATA] = None,
    url: Annotated[str | None, URL] = None,
) -> None:
    """Let an account have a number. Which of its agents answers is for its people to say."""
    api = OperatorApi(data, url)
    whose = _account(api, account)
    added = api.ask("PUT", f"/accounts/{whose}/numbers/{quote(number, safe='')}")
    typer.echo(f"{added['shown']} is account {whose}'s, and calls for {added['number']} go there")


@app.command()
def remove(
    number: Annotated[str, _NUMBER],
    account: Account = str(FIRST_ACCOUNT),
    data: Annotated[Path | None, DATA] = None,
    url: Annotated[str | None, URL] = None,
) -> None:
    """Take a number back from an account. Nobody answers it from then on."""
    api = OperatorApi(data, url)
    api.ask("DELETE", f"/accounts/{_account(api, account)}/numbers/{quote(number, safe='')}")
    typer.echo(f"{number} is nobody's")


@app.command("list")
def show(
    account: Account = str(FIRST_ACCOUNT),
    data: Annotated[Path | None, DATA] = None,
    url: Annotated[str | None, URL] = None,
) -> None:
    """Show the numbers of an account."""
    api = OperatorApi(data, url)
    table = Table("number", "called as", "agent")
    for number in api.all(f"/accounts/{_account(api, account)}/numbers"):
        table.add_row(number["shown"], number["number"], number["agent_id"] or "nobody")
    Console().print(table)


def _account(api: OperatorApi, wanted: str) -> str:
    """The id of the account that is *wanted* by its id or name. Raises ConfigError."""
    found: list[dict[str, Any]] = [one for one in api.all("/accounts") if wanted in {one["id"], one["name"]}]
    if len(found) != 1:
        raise ConfigError(f"{'no' if not found else 'more than one'} account is {wanted}; see: offhook accounts list")
    return str(found[0]["id"])
