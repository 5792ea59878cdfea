"""`offhook accounts`: the tenants of the running Offhook."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from orchestrator.commands.operator_api import DATA, URL, OperatorApi
from orchestrator.commands.users import new_password

app = typer.Typer(no_args_is_help=True, help="The tenants of the installation.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    admin: Annotated[str, typer.Option(help="The address that its first admin signs in with.")],
    data: Annotated[Path | None, DATA] = None,
    url: Annotated[str | None, URL] = None,
) -> None:
    """Make an account and its first admin, whose password is asked for, or taken from OFFHOOK_NEW_PASSWORD."""
    api = OperatorApi(data, url)
    user = {"email": admin, "name": admin, "password": new_password()}
    added = api.ask("POST", "/accounts", {"name": name, "admin": user})
    typer.echo(f"{added['name']} is account {added['id']}; {admin} can sign in as its admin")


@app.command("list")
def show(data: Annotated[Path | None, DATA] = None, url: Annotated[str | None, URL] = None) -> None:
    """Show the accounts."""
    table = Table("id", "name", "since")
    for account in OperatorApi(data, url).all("/accounts"):
        table.add_row(account["id"], account["name"], account["created_at"][:10])
    Console().print(table)
