"""`/api/v1/webhooks`: programs that are told what happens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends

from orchestrator.access.roles import Permission
from orchestrator.access.seal import Seal
from orchestrator.access.tokens import Identity
from orchestrator.api.door import Door
from orchestrator.api.idempotency import shows_secret
from orchestrator.api.pages import Cursor, Limit, Page, key_of, moment_and_id, paged
from orchestrator.api.webhooks.schemas import (
    DeliveryMade,
    DeliveryRead,
    SecretGiven,
    WebhookChange,
    WebhookCreate,
    WebhookGiven,
    WebhookRead,
)
from orchestrator.core.errors import ApiError
from orchestrator.core.networks import Network
from orchestrator.store.webhooks_repository import MOST, NewWebhook, WebhooksRepository
from orchestrator.webhooks.addresses import is_refused
from orchestrator.webhooks.signing import new_secret

_OVERLAP: Final = timedelta(days=1)


def webhooks_router(webhooks: WebhooksRepository, seal: Seal, door: Door, networks: Sequence[Network]) -> APIRouter:
    """The routes, for admins. networks: where messages may go."""
    router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"])
    manager = Depends(door.needs(Permission.MANAGE_WEBHOOKS))

    @router.get("")
    async def list_webhooks(limit: Limit = 50, after: Cursor = None, who: Identity = manager) -> Page[WebhookRead]:
        """The webhooks of the account, the newest first."""
        found = await webhooks.page(who.account, limit + 1, key_of(after, moment_and_id))
        return paged(found, limit, WebhookRead.model_validate, lambda one: (one.created_at, one.id))

    @router.post("", status_code=201, dependencies=[Depends(shows_secret)])
    async def make_webhook(asked: WebhookCreate, who: Identity = manager) -> WebhookGiven:
        """Have a program told what happens, from now on. Its secret is shown this once."""
        _check(asked.url, networks)
        webhook, secret = uuid4(), new_secret()
        sealed = seal.close(secret.encode(), webhook.bytes)
        made = await webhooks.add(who.account, NewWebhook(webhook, asked.url, asked.events, asked.description, sealed))
        if made is None:
            why = f"the account has {MOST} webhooks, the most there may be; remove one"
            raise ApiError(409, "too_many_webhooks", why)
        return WebhookGiven.model_validate({**WebhookRead.model_validate(made).model_dump(), "secret": secret})

    @router.get("/{webhook_id}")
    async def get_webhook(webhook_id: UUID, who: Identity = manager) -> WebhookRead:
        """One."""
        found = await webhooks.find(who.account, webhook_id)
        if found is None:
            raise _not_found(webhook_id)
        return WebhookRead.model_validate(found)

    @router.patch("/{webhook_id}")
    async def change_webhook(webhook_id: UUID, asked: WebhookChange, who: Identity = manager) -> WebhookRead:
        """Change what is given. Enabling one again sends what happens from then on, not what it has missed."""
        _check(asked.url, networks)
        changed = await webhooks.change(who.account, webhook_id, asked.model_dump(exclude_none=True))
        if changed is None:
            raise _not_found(webhook_id)
        return WebhookRead.model_validate(changed)

    @router.delete("/{webhook_id}", status_code=204)
    async def remove_webhook(webhook_id: UUID, who: Identity = manager) -> None:
        """Send nothing any more, and forget what was sent."""
        if not await webhooks.remove(who.account, webhook_id):
            raise _not_found(webhook_id)

    @router.post("/{webhook_id}/secret", dependencies=[Depends(shows_secret)])
    async def change_secret(webhook_id: UUID, who: Identity = manager) -> SecretGiven:
        """Another secret, shown this once; for a day messages are signed with both."""
        secret = new_secret()
        sealed = seal.close(secret.encode(), webhook_id.bytes)
        if not await webhooks.change_secret(who.account, webhook_id, sealed, _OVERLAP):
            raise _not_found(webhook_id)
        return SecretGiven(secret=secret)

    @router.post("/{webhook_id}/test", status_code=202)
    async def test_webhook(webhook_id: UUID, who: Identity = manager) -> DeliveryMade:
        """Send a message of the type `webhook.test`, also to one that is disabled."""
        delivery = await webhooks.test(who.account, webhook_id)
        if delivery is None:
            raise _not_found(webhook_id)
        return DeliveryMade(id=delivery)

    @router.get("/{webhook_id}/deliveries")
    async def list_deliveries(
        webhook_id: UUID, limit: Limit = 50, after: Cursor = None, who: Identity = manager
    ) -> Page[DeliveryRead]:
        """What was sent in the last 30 days, or is to be, the latest first."""
        if await webhooks.find(who.account, webhook_id) is None:
            raise _not_found(webhook_id)
        found = await webhooks.deliveries(who.account, webhook_id, limit + 1, key_of(after, moment_and_id))
        return paged(found, limit, DeliveryRead.model_validate, lambda one: (one.happened_at, one.id))

    @router.post("/{webhook_id}/deliveries/{delivery_id}/again", status_code=202)
    async def send_again(webhook_id: UUID, delivery_id: UUID, who: Identity = manager) -> DeliveryMade:
        """Send once more what was delivered or given up."""
        if not await webhooks.send_again(who.account, webhook_id, delivery_id):
            raise ApiError(404, "delivery_not_found", f"there is no delivery {delivery_id} that is over")
        return DeliveryMade(id=delivery_id)

    return router


def _check(url: str | None, networks: Sequence[Network]) -> None:
    if url is not None and is_refused(urlsplit(url).hostname or "", networks):
        why = "url: webhooks may not send to this address; the operator says where (OFFHOOK_WEBHOOK_NETWORKS)"
        raise ApiError(422, "address_refused", why)


def _not_found(webhook: UUID) -> ApiError:
    return ApiError(404, "webhook_not_found", f"there is no webhook {webhook}")
