"""`/api/v1/identity-providers`: where else the people of an account may sign in."""

from __future__ import annotations

from uuid import UUID, uuid4

from fastapi import APIRouter, Depends

from orchestrator.access.oidc.addresses import is_secure
from orchestrator.access.roles import Permission
from orchestrator.access.seal import Seal
from orchestrator.access.tokens import Identity
from orchestrator.api.door import Door
from orchestrator.api.pages import Cursor, Limit, Page, key_of, moment_and_id, paged
from orchestrator.api.providers.schemas import ProviderChange, ProviderCreate, ProviderRead
from orchestrator.core.errors import ApiError
from orchestrator.store.providers_repository import ProvidersRepository


def providers_router(providers: ProvidersRepository, seal: Seal, door: Door, *, loopback: bool) -> APIRouter:
    """The routes, for admins. seal: of secrets; loopback: whether a provider may be on this machine, without TLS."""
    router = APIRouter(prefix="/api/v1/identity-providers", tags=["identity providers"])
    admin = Depends(door.needs(Permission.MANAGE_USERS))

    def sealed(asked: ProviderChange, provider: UUID) -> bytes | None:
        secret = asked.client_secret
        return seal.close(secret.get_secret_value().encode(), provider.bytes) if secret is not None else None

    @router.get("")
    async def list_identity_providers(
        limit: Limit = 50, after: Cursor = None, who: Identity = admin
    ) -> Page[ProviderRead]:
        """The identity providers of the account, the newest first."""
        found = await providers.page(who.account, limit + 1, key_of(after, moment_and_id))
        return paged(found, limit, ProviderRead.of, lambda one: (one.created_at, one.id))

    @router.post("", status_code=201)
    async def add_identity_provider(asked: ProviderCreate, who: Identity = admin) -> ProviderRead:
        """Another one. It is not asked anything before somebody signs in."""
        if not is_secure(asked.issuer, loopback) or "?" in asked.issuer:
            raise ApiError(422, "bad_issuer", "issuer: an https address without password, query or fragment")
        provider = uuid4()
        return ProviderRead.of(
            await providers.add(who.account, provider, asked.issuer, asked.terms(), sealed(asked, provider))
        )

    @router.put("/{provider_id}")
    async def change_identity_provider(provider_id: UUID, asked: ProviderChange, who: Identity = admin) -> ProviderRead:
        """Other terms; who came by it before stays a user."""
        changed = await providers.change(who.account, provider_id, asked.terms(), sealed(asked, provider_id))
        if changed is None:
            raise _no_provider(provider_id)
        return ProviderRead.of(changed)

    @router.delete("/{provider_id}", status_code=204)
    async def remove_identity_provider(provider_id: UUID, who: Identity = admin) -> None:
        """Let nobody sign in there from now on; who did stays a user, and signed in."""
        if not await providers.remove(who.account, provider_id):
            raise _no_provider(provider_id)

    @router.put("/{provider_id}/users/{user_id}", status_code=204)
    async def link_identity(provider_id: UUID, user_id: UUID, who: Identity = admin) -> None:
        """Let a user who is there already sign in by this provider as well, under the same e-mail address."""
        if not await providers.link(who.account, provider_id, user_id):
            raise ApiError(404, "not_found", "there is no such identity provider, or no such user")

    @router.delete("/{provider_id}/users/{user_id}", status_code=204)
    async def unlink_identity(provider_id: UUID, user_id: UUID, who: Identity = admin) -> None:
        """Let a user sign in by this provider no more."""
        if not await providers.unlink(who.account, provider_id, user_id):
            raise ApiError(404, "not_found", "this user does not sign in by this identity provider")

    return router


def _no_provider(provider: UUID) -> ApiError:
    return ApiError(404, "provider_not_found", f"there is no identity provider {provider}")
