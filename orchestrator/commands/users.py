"""`offhook users`: who may sign in. Asks the running Offhook, as whoever can read its operator's key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.table import Table

from orchestrator.access.roles import Role
from orchestrator.core.errors import ConfigError
from orchestrator.settings import read_settings

app = typer.Typer(no_args_is_help=True, help="Who may sign in.")

_DATA = typer.Option(help="The data folder of the running Offhook.")
_URL = typer.Option(help="Where its API listens; the setting http_port on this machine when absent.")
_TIMEOUT = 30.0


@app.command()
def add(  # noqa: PLR0913, PLR0917 - one parameter an option
    email: Annotated[str, typer.Argument(help="The address to sign in with.")],
    name: Annotated[str, typer.Option(help="What to call them; the address when absent.")] = "",
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.ADMIN,
    password: Annotated[
        str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True, envvar="OFFHOOK_NEW_PASSWORD")
    ] = "",
    data: Annotated[Path | None, _DATA] = None,
    url: Annotated[str | None, _URL] = None,
) -> None:
    """Let somebody sign in. The first admin of an installation is made like this."""
    asked = {"email": email, "name": name or email, "password": password, "role": role.value}
    added = _ask("POST", data, url, asked)
    typer.echo(f"{added['email']} can sign in as {added['role']}")


@app.command("list")
def show(data: Annotated[Path | None, _DATA] = None, url: Annotated[str | None, _URL] = None) -> None:
    """Show who may sign in."""
    table = Table("address", "name", "role", "since")
    for member in _ask("GET", data, url):
        table.add_row(member["email"], member["name"], member["role"], member["created_at"][:10])
    Console().print(table)


def _ask(method: str, data: Path | None, url: str | None, asked: dict[str, str] | None = None) -> Any:
    """What /api/v1/users answers. Raises ConfigError that says what is wrong."""
    settings = read_settings(data=data)
    base = url or f"http://127.0.0.1:{settings.http_port}"
    try:
        key = settings.operator_key.read_text(encoding="ascii").strip()
    except OSError as error:
        raise ConfigError(
            f"{settings.operator_key}: cannot be read: {error.strerror}. `offhook up` makes it at its first start; "
            "--data says where"
        ) from error
    try:
        answer = httpx.request(
            method,
            f"{base}/api/v1/users",
            json=asked,
            headers={"Authorization": f"Bearer {key}"},
            timeout=_TIMEOUT,
            trust_env=False,
        )
        found = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise ConfigError(f"{base}: Offhook does not answer there: {error}") from error
    if answer.is_error:
        raise ConfigError(str(found.get("detail", answer.status_code)))
    return found
