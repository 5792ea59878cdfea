"""`/api/v1/auth`: signing in, staying in, signing out."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Depends, Request

from orchestrator.access.failed_tries import network, too_many_tries
from orchestrator.access.rate_limit import RateLimit
from orchestrator.access.sessions import Sessions
from orchestrator.access.tickets import TICKET_SECONDS
from orchestrator.access.tokens import Identity
from orchestrator.api.auth.schemas import Me, PasswordChange, Refresh, SignIn, TicketRead, Tokens
from orchestrator.api.door import Door, host_of
from orchestrator.core.errors import ApiError


def slowly(tries: RateLimit) -> Callable[[Request], None]:
    """A dependency that refuses an address on the network that tries too often."""

    def check(request: Request) -> None:
        if wait := tries.take(network(host_of(request))):
            raise too_many_tries(wait)

    return check


def auth_router(sessions: Sessions, door: Door, tries: RateLimit) -> APIRouter:
    """The routes. tries: of an address on the network to show a password."""
    router = APIRouter(prefix="/api/v1/auth", tags=["auth"])
    anybody = Depends(door.needs())

    limited = [Depends(slowly(tries))]

    @router.post("/login", dependencies=limited)
    async def sign_in(asked: SignIn, request: Request) -> Tokens:
        """An access token for ten minutes, and the refresh token that gives the next ones."""
        grant = await sessions.sign_in(asked.email, asked.password.get_secret_value(), asked.account)
        await door.entered(request, grant.access_token)
        return Tokens.model_validate(grant)

    @router.post("/refresh")
    async def refresh(asked: Refresh, request: Request) -> Tokens:
        """The next tokens. A refresh token that comes a second time ends the session."""
        with door.tried(request):
            return Tokens.model_validate(await sessions.refresh(asked.refresh_token.get_secret_value()))

    @router.post("/logout", status_code=204)
    async def sign_out(asked: Refresh, request: Request) -> None:
        """End the session; an access token that is still out is good for its ten minutes."""
        with door.tried(request) as failed:
            if not await sessions.sign_out(asked.refresh_token.get_secret_value()):
                failed()

    @router.post("/password", status_code=204, dependencies=limited)
    async def change_password(asked: PasswordChange, who: Identity = anybody) -> None:
        """Take another password, and end all sessions."""
        if who.user is None:
            raise ApiError(403, "forbidden", "only users have passwords")
        await sessions.change_password(who.user, asked.current.get_secret_value(), asked.new.get_secret_value())

    @router.get("/me")
    async def me(who: Identity = anybody) -> Me:
        """Who asks."""
        return Me(user=who.user, account=who.account, role=who.role, key=who.key, allowed=sorted(who.allowed))

    @router.post("/tickets", status_code=201)
    async def give_ticket(who: Identity = anybody) -> TicketRead:
        """A ticket for a WebSocket, which carries no token."""
        return TicketRead(ticket=await door.give_ticket(who), expires_in=TICKET_SECONDS)

    return router
