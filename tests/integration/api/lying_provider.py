"""An identity provider whose every answer a test may bend."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from joserfc import jws
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT = "offhook"


@dataclass
class LyingProvider:
    """What it answers.

    claims: of the next token, over right ones; signed: makes the token of header and claims; told: changes what it
    says of itself; answers: instead of the token endpoint; people: what the userinfo endpoint says, None for having
    none; shown: Authorization headers that came there.
    """

    url: str = ""
    nonce: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}, private=True))
    keys: list[dict[str, Any]] | None = None
    signed: Callable[[dict[str, Any]], str] | None = None
    answers: Callable[[], Response] | None = None
    forms: list[dict[str, str]] = field(default_factory=list)
    access_token: str = "x"
    people: dict[str, Any] | None = None
    shown: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._metadata),
                Route("/jwks", self._keys),
                Route("/token", self._token, methods=["POST"]),
                Route("/userinfo", self._people),
                Route("/elsewhere", self._elsewhere),
            ]
        )

    def token(self) -> str:
        """A token that is right but for `claims`."""
        now = int(time.time())
        right = {
            "iss": self.url,
            "sub": "anna-at-work",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 60,
            "nonce": self.nonce,
            "email": "anna@example.org",
            "email_verified": True,
            "name": "Anna",
        }
        claims = {name: value for name, value in (right | self.claims).items() if value is not None}
        if self.signed is not None:
            return self.signed(claims)
        return jws.serialize_compact({"alg": "RS256", "kid": self.key.kid}, json.dumps(claims).encode(), self.key)

    async def _metadata(self, request: Request) -> Response:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        right = {"issuer": self.url, **{name: f"{self.url}/{path}" for name, path in names.items()}}
        if self.people is not None:
            right["userinfo_endpoint"] = f"{self.url}/userinfo"
        return JSONResponse(right | self.told)

    async def _keys(self, request: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)] if self.keys is None else self.keys})

    async def _token(self, request: Request) -> Response:
        self.forms.append(dict(parse_qsl((await request.body()).decode())))
        if self.answers is not None:
            return self.answers()
        return Response(
            json.dumps({"access_token": self.access_token, "token_type": "Bearer", "id_token": self.token()})
        )

    async def _people(self, request: Request) -> Response:
        self.shown.append(request.headers["authorization"])
        return JSONResponse(self.people)

    async def _elsewhere(self, request: Request) -> Response:
        return RedirectResponse(f"{self.url}/jwks")
