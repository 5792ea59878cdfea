"""`offhook users`: who may sign in. Asks the running Offhook, as whoever can read its operator's key."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from orchestrator.access.roles import Role
from orchestrator.commands.operator_api import DATA, URL, OperatorApi
from orchestrator.core.errors import ConfigError

app = typer.Typer(no_args_is_help=True, help="Who may sign in.")


@app.command()
def add(
    email: Annotated[str, typer.Argument(help="The address to sign in with.")],
    name: Annotated[str, typer.Option(help="What to call them; the address when absent.")] = "",
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.ADMIN,
    data: Annotated[Path | None, DATA] = None,
    url: Annotated[str | None, URL] = None,
) -> None:
    """Let somebody sign in. The first admin of an installation is made like this.

    The password is asked for, or taken from OFFHOOK_NEW_PASSWORD.
    """
    api = OperatorApi(data, url)
    asked = {"email": email, "name": name or email, "password": new_password(), "role": role.value}
    added = api.ask("POST", "/users", asked)
    typer.echo(f"{added['email']} can sign in as {added['role']}")


@app.command()
def password(
    email: Annotated[str, typer.Argument(help="Whose.")],
    data: Annotated[Path | None, DATA] = None,
    url: Annotated[str | None, URL] = None,
) -> None:
    """Give somebody another password, and let them in again if wrong ones have locked them out.

    It is asked for, or taken from OFFHOOK_NEW_PASSWORD. All of their sessions end.
    """
    api = OperatorApi(data, url)
    found = [member["id"] for member in api.ask("GET", "/users") if member["email"].lower() == email.lower()]
    if not found:
        raise ConfigError(f"there is no user {email}; see: offhook users list")
    api.ask("POST", f"/users/{found[0]}/password", {"password": new_password()})
    typer.echo(f"{email} can sign in with the new password")


@app.command("list")
def show(data: Annotated[Path | None, DATA] = None, url: Annotated[str | None, URL] = None) -> None:
    """Show who may sign in."""
    table = Table("address", "name", "role", "since")
    for member in OperatorApi(data, url).ask("GET", "/users"):
        table.add_row(member["email"], member["name"], member["role"], member["created_at"][:10])
    Console().print(table)


def new_password() -> str:
    """The password in OFFHOOK_NEW_PASSWORD, or one that is asked for twice."""
    given = os.environ.get("OFFHOOK_NEW_PASSWORD")
    return given or str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
