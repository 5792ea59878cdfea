"""`/api/v1/auth/oidc`: signing in at an identity provider."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse
from pydantic import Field, SecretStr

from orchestrator.access.oidc.sign_on import Came, SingleSignOn
from orchestrator.access.rate_limit import RateLimit
from orchestrator.api.auth.endpoints import slowly
from orchestrator.api.auth.schemas import Tokens
from orchestrator.api.door import Door
from orchestrator.api.schemas import Asked

Challenge = Annotated[
    str, Query(pattern=r"^[A-Za-z0-9_-]{43}$", description="base64url(SHA-256(verifier)), RFC 7636, without `=`.")
]
Target = Annotated[
    str, Query(max_length=1024, description="Where the browser goes on: a path of this site, or a page.")
]
# A provider's own words, of which only the length is known.
Word = Annotated[str | None, Query(max_length=4096)]


class SignInCode(Asked):
    """code: as the browser brought it back; verifier: whose challenge was told at the start."""

    code: Annotated[SecretStr, Field(max_length=256)]
    verifier: Annotated[SecretStr, Field(min_length=43, max_length=128)]


def single_sign_on_router(sign_on: SingleSignOn, door: Door, tries: RateLimit) -> APIRouter:
    """The routes. tries: of an address on the network to begin, or to come back."""
    router = APIRouter(prefix="/api/v1/auth/oidc", tags=["auth"])
    limited = [Depends(slowly(tries))]

    @router.get("/{provider_id}/start", status_code=303, response_class=RedirectResponse, dependencies=limited)
    async def start_single_sign_on(provider_id: UUID, challenge: Challenge, redirect: Target = "/") -> RedirectResponse:
        """Send a browser to an identity provider."""
        return RedirectResponse(await sign_on.leave(provider_id, redirect, challenge), 303)

    @router.get("/callback", status_code=303, response_class=RedirectResponse, dependencies=limited)
    async def end_single_sign_on(
        state: Annotated[str, Query(max_length=256)], code: Word = None, error: Word = None, iss: Word = None
    ) -> RedirectResponse:
        """Where the provider sends it back to. It goes on with a `code` for a minute, or with an `error`."""
        return RedirectResponse(await sign_on.come_back(state, Came(code, error, iss)), 303)

    @router.post("/token")
    async def sign_in_by_code(asked: SignInCode, request: Request) -> Tokens:
        """The tokens for a code, once."""
        with door.tried(request):
            grant = await sign_on.redeem(asked.code.get_secret_value(), asked.verifier.get_secret_value())
        await door.entered(request, grant.access_token)
        return Tokens.model_validate(grant)

    return router
