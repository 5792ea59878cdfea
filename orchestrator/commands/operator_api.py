"""The API of the running Offhook, asked as whoever can read its operator's key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import typer

from orchestrator.core.errors import ConfigError
from orchestrator.settings import read_settings

DATA = typer.Option(help="The data folder of the running Offhook.")
URL = typer.Option(help="Where its API listens; the setting http_port on this machine when absent.")
_TIMEOUT = 30.0


class OperatorApi:
    """/api/v1 of a running Offhook. Raises ConfigError when its operator's key cannot be read."""

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

    def save(self, path: str, file: Path, **parameters: str) -> int:
        """Write to *file* what a link of the API plays; its bytes. Raises ConfigError that says what is wrong."""
        unfinished = file.with_name(f".{file.name}.part")
        try:
            with (
                httpx.stream(
                    "GET", f"{self._base}{path}", params=parameters, timeout=_TIMEOUT, trust_env=False
                ) as answer,
                unfinished.open("wb") as part,
            ):
                if answer.is_error:
                    answer.read()
                    raise ConfigError(str(answer.json()["detail"]))
                for piece in answer.iter_bytes():
                    part.write(piece)
            unfinished.replace(file)
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise ConfigError(f"{self._base}: Offhook does not answer there: {error}") from error
        except OSError as error:
            raise ConfigError(f"{file}: cannot be written: {error.strerror}") from error
        finally:
            unfinished.unlink(missing_ok=True)
        return file.stat().st_size

    def all(self, path: str) -> Iterator[Any]:
        """What the list at *path* holds. Raises as ask() does."""
        after: dict[str, str] | None = {}
        while after is not None:
            page = self.ask("GET", path, **after)
            yield from page["items"]
            after = {"after": page["next"]} if page["next"] is not None else None

    def ask(self, method: str, path: str, asked: object = None, **parameters: str) -> Any:
        """What it answers. Raises ConfigError that says what is wrong."""
        try:
            answer = httpx.request(
                method,
                f"{self._base}/api/v1{path}",
                json=asked,
                params=parameters,
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
