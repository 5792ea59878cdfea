"""`offhook receipts`: whether a receipt of an erasure is what this installation signed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.access.keys import kept_key
from orchestrator.commands.operator_api import DATA
from orchestrator.compliance.callers import caller_of
from orchestrator.compliance.receipts import BadReceipt, ReceiptKey, is_of, verify
from orchestrator.core.errors import ConfigError
from orchestrator.settings import read_settings

app = typer.Typer(no_args_is_help=True, help="Receipts of what was erased.")


@app.callback()
def receipts() -> None:
    """Receipts of what was erased."""


@app.command()
def key(data: Annotated[Path | None, DATA] = None) -> None:
    """Show the public key that receipts of this installation are verified with, wherever they are."""
    typer.echo(_public(data))


@app.command(name="verify")
def verify_file(
    file: Annotated[Path, typer.Argument(help="The receipt, or what GET /api/v1/erasures/{id} answers.")],
    public: Annotated[
        str | None, typer.Option("--key", help="The public key; this installation's when absent.")
    ] = None,
    caller: Annotated[str | None, typer.Option(help="Is the receipt of this number?")] = None,
    data: Annotated[Path | None, DATA] = None,
) -> None:
    """Say whether a receipt is as it was signed, and what it is of; exit code 1 when it is not."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file}: cannot be read as a receipt: {error}") from error
    if isinstance(document, dict) and "asked_at" in document:
        if document["receipt"] is None:
            typer.echo(f"{file}: the erasure is not finished, so there is no receipt yet; fetch it again")
            raise typer.Exit(1)
        document = document["receipt"]
    try:
        receipt = verify(document, public or _public(data))
        theirs = caller is None or is_of(receipt, caller_of(caller).name)
    except BadReceipt as error:
        typer.echo(f"{file}: {error}")
        raise typer.Exit(1) from error
    except ValueError as error:
        raise ConfigError(f"--caller: {error}") from error
    if not theirs:
        typer.echo(f"{file}: it is of somebody else")
        raise typer.Exit(1)
    erased = ", ".join(f"{count} {kind}" for kind, count in receipt["erased"].items()) or "nothing was there"
    typer.echo(f"as it was signed; {receipt['finished_at']}: {erased}")


def _public(data: Path | None) -> str:
    path = read_settings(data=data).data / "keys" / "receipts.key"
    if not path.exists():
        raise ConfigError(
            f"{path}: there is no key of receipts; the first worker makes it. --key takes one from elsewhere"
        )
    return ReceiptKey(kept_key(path)).public
