"""Signing in at an identity provider: leaving for it, coming back, and changing what was brought for tokens."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Any, Final
from uuid import UUID

import structlog
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from orchestrator.access.oidc.addresses import Targets, with_query
from orchestrator.access.oidc.discovery import Discovery, Endpoints
from orchestrator.access.oidc.id_token import Expected, UnknownKey, read
from orchestrator.access.oidc.newcomers import newcomer
from orchestrator.access.oidc.web import Web, bad_answer
from orchestrator.access.seal import Seal
from orchestrator.access.sessions import Grant, Sessions
from orchestrator.access.tokens import new_refresh_token, token_hash
from orchestrator.core.clock import Clock
from orchestrator.core.errors import ApiError
from orchestrator.store.flows_repository import FlowsRepository, Kept, Step
from orchestrator.store.providers_repository import Provider, ProvidersRepository
from orchestrator.store.users_repository import EmailTaken

CALLBACK: Final = "/api/v1/auth/oidc/callback"
FLOW: Final = timedelta(minutes=10)
CODE: Final = timedelta(seconds=60)
_SCOPE: Final = "openid email profile"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Came:
    """What a browser brings back from a provider, as the provider wrote it into its address."""

    code: str | None
    error: str | None
    issuer: str | None


@dataclass(frozen=True, slots=True)
class Parts:
    """What single sign-on works with. seal: of secrets and flows; now: seconds since 1970."""

    providers: ProvidersRepository
    flows: FlowsRepository
    sessions: Sessions
    discovery: Discovery
    web: Web
    targets: Targets
    seal: Seal
    now: Clock


class SingleSignOn:
    """The three steps. Who begins keeps a secret whose S256 challenge it tells, and shows it in the last one:

    so a code that somebody else began to get, or caught, is worth nothing.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def leave(self, provider_id: UUID, target: str, challenge: str) -> str:
        """The address at the provider. target: where the browser goes on. Raises ApiError 404, 422, 502."""
        target = self._parts.targets.checked(target)
        provider, _ = await self._provider(provider_id)
        endpoints = await self._parts.discovery.endpoints(provider)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        await self._keep(
            "flow", state, provider, FLOW, nonce=nonce, verifier=verifier, target=target, challenge=challenge
        )
        return with_query(
            endpoints.authorization,
            response_type="code",
            client_id=provider.terms.client_id,
            redirect_uri=self._callback,
            scope=_SCOPE,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )

    async def come_back(self, state: str, came: Came) -> str:
        """Where the browser goes on, with a `code` or with the `error` that stopped it.

        Raises ApiError 400 "bad_state" when nobody left with *state*, or it came back before, or too late.
        """
        left = await self._take("flow", state)
        if left is None:
            raise ApiError(400, "bad_state", "this sign-in is unknown, over, or took too long; begin again")
        kept, flow = left
        try:
            provider, sealed = await self._provider(kept.provider)
            claims = await self._claims(provider, sealed, flow, came)
        except ApiError as error:
            log.warning("sign_on_refused", provider=str(kept.provider), code=error.code, reason=str(error))
            return with_query(flow["target"], error=error.code)
        code = new_refresh_token()
        said = {name: claims.get(name) for name in ("sub", "email", "email_verified", "name")}
        await self._keep("code", code, provider, CODE, claims=said, challenge=flow["challenge"])
        return with_query(flow["target"], code=code)

    async def redeem(self, code: str, verifier: str) -> Grant:
        """Tokens for a *code*, once. verifier: the secret of who began.

        Raises ApiError: 401 "bad_code"; 403 "email_unverified", "email_not_allowed", "user_disabled", "no_account"; 409
        "email_taken".
        """
        brought = await self._take("code", code)
        if brought is None or not compare_digest(create_s256_code_challenge(verifier), brought[1]["challenge"]):
            raise ApiError(401, "bad_code", "this code is unknown, was used, has expired, or is somebody else's")
        kept, claims = brought[0], brought[1]["claims"]
        provider, _ = await self._provider(kept.provider)
        user = await self._parts.providers.known(provider.id, claims["sub"])
        if user is None:
            try:
                user = await self._parts.providers.adopt(provider, newcomer(claims, provider.terms.domains))
            except EmailTaken as error:
                why = "a user has this address already; an admin may link them to this identity provider"
                raise ApiError(409, "email_taken", why) from error
        return await self._parts.sessions.begin_for(user, provider.account)

    async def _claims(
        self, provider: Provider, sealed: bytes | None, flow: dict[str, Any], came: Came
    ) -> dict[str, Any]:
        """What the provider says of who came back. Raises ApiError."""
        if came.issuer not in {None, provider.issuer}:  # RFC 9207
            raise ApiError(401, "bad_id_token", "another identity provider has answered")
        if came.error is not None or came.code is None:
            raise ApiError(401, "provider_refused", "the identity provider has let nobody in")
        endpoints = await self._parts.discovery.endpoints(provider)
        told = await self._exchanged(
            provider, sealed, endpoints, {"code": came.code, "code_verifier": flow["verifier"]}
        )
        access_token = told.get("access_token")
        expected = Expected(
            provider.issuer,
            provider.terms.client_id,
            flow["nonce"],
            access_token if isinstance(access_token, str) else None,
        )
        for renewed in (False, True):
            keys = await self._parts.discovery.keys(endpoints, renewed=renewed)
            try:
                claims = read(told.get("id_token"), keys, expected, self._parts.now())
            except UnknownKey:
                continue
            return await self._completed(claims, endpoints, expected.access_token)
        raise ApiError(401, "bad_id_token", "the identity provider's token is signed with a key that it does not tell")

    async def _completed(
        self, claims: dict[str, Any], endpoints: Endpoints, access_token: str | None
    ) -> dict[str, Any]:
        """*claims*, with what its userinfo endpoint alone tells. Source: OpenID Connect Core 1.0, section 5.4."""
        whole = "email" in claims and "email_verified" in claims
        if whole or endpoints.people is None or access_token is None:
            return claims
        told = await self._parts.web.get(endpoints.people, access_token)
        if told.get("sub") != claims["sub"]:  # section 5.3.2
            raise bad_answer("it tells of somebody else than its token")
        # Both of one source: what is said to be verified is the address beside it.
        pair = {name: told.get(name) for name in ("email", "email_verified")}
        return claims | pair | {"name": claims.get("name", told.get("name"))}

    async def _exchanged(
        self, provider: Provider, sealed: bytes | None, endpoints: Endpoints, form: dict[str, str]
    ) -> dict[str, Any]:
        """What the token endpoint gives for a code."""
        form |= {"grant_type": "authorization_code", "redirect_uri": self._callback}
        if sealed is None:
            return await self._parts.web.post(endpoints.token, form | {"client_id": provider.terms.client_id}, None)
        opened = self._parts.seal.open(sealed, provider.id.bytes)
        if opened is None:
            raise bad_answer("its client secret was sealed under a key that is gone; an admin gives it again")
        login = provider.terms.client_id, opened.decode()
        if endpoints.posts_secret:
            return await self._parts.web.post(
                endpoints.token, form | {"client_id": login[0], "client_secret": login[1]}, None
            )
        return await self._parts.web.post(endpoints.token, form, login)

    async def _provider(self, provider_id: UUID) -> tuple[Provider, bytes | None]:
        found = await self._parts.providers.enabled(provider_id)
        if found is None:
            raise ApiError(404, "provider_not_found", f"there is no identity provider {provider_id}")
        return found

    async def _keep(self, step: Step, shown: str, provider: Provider, lasts: timedelta, **content: object) -> None:
        place, now = token_hash(shown), datetime.fromtimestamp(self._parts.now(), UTC)
        sealed = self._parts.seal.close(json.dumps(content).encode(), place)
        await self._parts.flows.keep(step, place, Kept(provider.account, provider.id, sealed), now + lasts, now)

    async def _take(self, step: Step, shown: str) -> tuple[Kept, dict[str, Any]] | None:
        place = token_hash(shown)
        kept = await self._parts.flows.take(step, place, datetime.fromtimestamp(self._parts.now(), UTC))
        opened = self._parts.seal.open(kept.sealed, place) if kept is not None else None
        return (kept, json.loads(opened)) if kept is not None and opened is not None else None

    @property
    def _callback(self) -> str:
        return self._parts.targets.own + CALLBACK
