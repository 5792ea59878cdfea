"""`offhook users`: who may sign in. Asks the running Offhook, as whoever can read its operator's key."""

from __future__ import annotations

import os
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
def add(
    email: Annotated[str, typer.Argument(help="The address to sign in with.")],
    name: Annotated[str, typer.Option(help="What to call them; the address when absent.")] = "",
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.ADMIN,
    data: Annotated[Path | None, _DATA] = None,
    url: Annotated[str | None, _URL] = None,
) -> None:
    """Let somebody sign in. The first admin of an installation is made like this.

    The password is asked for, or taken from OFFHOOK_NEW_PASSWORD.
    """
    api = _Api(data, url)
    asked = {"email": email, "name": name or email, "password": _new_password(), "role": role.value}
    added = api.ask("POST", "", asked)
    typer.echo(f"{added['email']} can sign in as {added['role']}")


@app.command()
def password(
    email: Annotated[str, typer.Argument(help="Whose.")],
    data: Annotated[Path | None, _DATA] = None,
    url: Annotated[str | None, _URL] = None,
) -> None:
    """Give somebody another password, and let them in again if wrong ones have locked them out.

    It is asked for, or taken from OFFHOOK_NEW_PASSWORD. All of their sessions end.
    """
    api = _Api(data, url)
    found = [member["id"] for member in api.ask("GET", "") if member["email"].lower() == email.lower()]
    if not found:
        raise ConfigError(f"there is no user {email}; see: offhook users list")
    api.ask("POST", f"/{found[0]}/password", {"password": _new_password()})
    typer.echo(f"{email} can sign in with the new password")


@app.command("list")
def show(data: Annotated[Path | None, _DATA] = None, url: Annotated[str | None, _URL] = None) -> None:
    """Show who may sign in."""
    table = Table("address", "name", "role", "since")
    for member in _Api(data, url).ask("GET", ""):
        table.add_row(member["email"], member["name"], member["role"], member["created_at"][:10])
    Console().print(table)


def _new_password() -> str:
    given = os.environ.get("OFFHOOK_NEW_PASSWORD")
    return given or str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


class _Api:
    """/api/v1/users of a running Offhook. Raises ConfigError when its operator's key cannot be read."""

    def __init__(self, data: Path | None, url: str | None) -> None:
        settings = read_settings(data=data)
        self._base = url or f"http://{settings.http_host}:{settings.http_port}"
        try:
            self._key = settings.operator_key.read_text(encoding="ascii").strip()
        except OSError as error:
            raise ConfigError(
                f"{settings.operator_key}: cannot be read: {error.strerror}. `offhook up` makes it at its first start; "
                "--data says where"
            ) from error

    def ask(self, method: str, path: str, asked: dict[str, str] | None = None) -> Any:
        """What it answers. Raises ConfigError that says what is wrong."""
        try:
            answer = httpx.request(
                method,
                f"{self._base}/api/v1/users{path}",
                json=asked,
                headers={"Authorization": f"Bearer {self._key}"},
                timeout=_TIMEOUT,
                trust_env=False,
            )
            found = answer.json() if answer.content else None
        except (httpx.HTTPError, ValueError) as error:
            raise ConfigError(f"{self._base}: Offhook does not answer there: {error}") from error
        if answer.is_error:
            raise ConfigError(str(found["detail"]) if found else f"{self._base} answers {answer.status_code}")
        return found
