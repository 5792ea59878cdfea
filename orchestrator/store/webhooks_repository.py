"""Webhooks and their deliveries in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import asyncpg

from orchestrator.store.db import Database
from orchestrator.store.jobs import Work, put
from orchestrator.store.webhook_events import WEBHOOK, EventType

_WEBHOOK = "id, url, events, description, enabled, disabled_by, failing_since, created_at"
_CHANGEABLE: Final = ("url", "events", "description", "enabled")
MOST: Final = 20
"""Webhooks of an account: each is one more message to be sent at every event."""
_DELIVERY = "id, webhook_id, event_id, type, data, happened_at, state, attempts, status, error, seconds, tried_at"


@dataclass(frozen=True, slots=True)
class Webhook:
    """One. disabled_by: why nothing is sent; failing_since: since when nothing was taken."""

    id: UUID
    url: str
    events: tuple[str, ...]
    description: str
    enabled: bool
    disabled_by: str | None
    failing_since: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """One to be kept. secret: sealed."""

    id: UUID
    url: str
    events: Sequence[str]
    description: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message for one webhook. status, error, seconds: of the latest try."""

    id: UUID
    webhook_id: UUID
    event_id: UUID
    type: str
    data: Mapping[str, object]
    happened_at: datetime
    state: str
    attempts: int
    status: int | None
    error: str | None
    seconds: float | None
    tried_at: datetime | None


@dataclass(frozen=True, slots=True)
class Posted:
    """What is to be sent where. secrets: sealed, the present one first."""

    delivery: Delivery
    url: str
    secrets: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Try:
    """How a try went. status: of the answer; error: a code, None when it was taken; last: there will be no other."""

    status: int | None
    error: str | None
    seconds: float
    last: bool = False


class WebhooksRepository:
    """Those of all accounts; every question names one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, account: UUID, new: NewWebhook) -> Webhook | None:
        """Keep a new one; None when the account has MOST of them."""
        async with self._database.tenant(account) as connection:
            # Two at once must not both find the last place free.
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"webhooks {account}")
            row = await connection.fetchrow(
                f"""
                INSERT INTO webhooks (account_id, id, url, events, description, secret)
                SELECT $1, $2, $3, $4, $5, $6 WHERE (SELECT count(*) FROM webhooks WHERE account_id = $1) < {MOST}
                RETURNING {_WEBHOOK}
                """,  # noqa: S608 - columns of ours
                *(account, new.id, new.url, list(new.events), new.description, new.secret),
            )
        return None if row is None else _webhook(row)

    async def page(self, account: UUID, limit: int, after: tuple[datetime, UUID] | None = None) -> list[Webhook]:
        """The webhooks of *account*, the newest first."""
        async with self._database.tenant(account) as connection:
            rows = await connection.fetch(
                f"""
                SELECT {_WEBHOOK} FROM webhooks
                WHERE account_id = $1 AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4))
                ORDER BY created_at DESC, id DESC LIMIT $2
                """,  # noqa: S608 - columns of ours
                *(account, limit, *(after or (None, None))),
            )
        return [_webhook(row) for row in rows]

    async def find(self, account: UUID, webhook: UUID) -> Webhook | None:
        """One."""
        async with self._database.tenant(account) as connection:
            row = await connection.fetchrow(f"SELECT {_WEBHOOK} FROM webhooks WHERE id = $1", webhook)  # noqa: S608
        return None if row is None else _webhook(row)

    async def change(self, account: UUID, webhook: UUID, values: Mapping[str, object]) -> Webhook | None:
        """Write *values*, of url, events, description and enabled; what is absent stays as it is, whatever that is by
        then. Enabling one forgets that it failed. None when it is not there.
        """
        given = [name for name in _CHANGEABLE if name in values]
        changes = [f"{name} = ${number}" for number, name in enumerate(given, start=2)]
        if "enabled" in given:
            enabled = f"${given.index('enabled') + 2}"
            changes += [
                f"disabled_by = CASE WHEN {enabled} THEN NULL ELSE coalesce(disabled_by, 'somebody') END",
                f"failing_since = CASE WHEN {enabled} AND NOT enabled THEN NULL ELSE failing_since END",
            ]
        async with self._database.tenant(account) as connection:
            row = await connection.fetchrow(
                f"UPDATE webhooks SET {', '.join(changes) or 'id = id'} WHERE id = $1 RETURNING {_WEBHOOK}",  # noqa: S608
                *(webhook, *(values[name] for name in given)),
            )
        return None if row is None else _webhook(row)

    async def change_secret(self, account: UUID, webhook: UUID, secret: bytes, overlap: timedelta) -> bool:
        """Sign with *secret*, and for *overlap* with the one before as well; False when it is not there."""
        async with self._database.tenant(account) as connection:
            done = await connection.execute(
                "UPDATE webhooks SET former_secret = secret, former_until = now() + $3, secret = $2 WHERE id = $1",
                *(webhook, secret, overlap),
            )
        return bool(done == "UPDATE 1")

    async def remove(self, account: UUID, webhook: UUID) -> bool:
        """Forget one with its deliveries; whether it was there."""
        async with self._database.tenant(account) as connection:
            return bool(await connection.execute("DELETE FROM webhooks WHERE id = $1", webhook) == "DELETE 1")

    async def deliveries(
        self, account: UUID, webhook: UUID, limit: int, after: tuple[datetime, UUID] | None = None
    ) -> list[Delivery]:
        """What a webhook was told, or is to be, the latest first."""
        async with self._database.tenant(account) as connection:
            rows = await connection.fetch(
                f"""
                SELECT {_DELIVERY} FROM webhook_deliveries
                WHERE account_id = $1 AND webhook_id = $2
                    AND ($4::timestamptz IS NULL OR (happened_at, id) < ($4, $5))
                ORDER BY happened_at DESC, id DESC LIMIT $3
                """,  # noqa: S608 - columns of ours
                *(account, webhook, limit, *(after or (None, None))),
            )
        return [Delivery(**dict(row)) for row in rows]

    async def test(self, account: UUID, webhook: UUID) -> UUID | None:
        """Send a message that means nothing, even to one that is disabled; its delivery. None when it is not there."""
        async with self._database.tenant(account) as connection:
            delivery = await connection.fetchval(
                """
                INSERT INTO webhook_deliveries (account_id, webhook_id, event_id, type, data)
                SELECT account_id, id, $2, $3, '{}' FROM webhooks WHERE id = $1 RETURNING id
                """,
                *(webhook, uuid4(), EventType.TEST.value),
            )
            if delivery is not None:
                await put(connection, _work(account, delivery))
        found: UUID | None = delivery
        return found

    async def send_again(self, account: UUID, webhook: UUID, delivery: UUID) -> bool:
        """Send once more what was sent, or given up; False when it is not there, or waits to be sent."""
        async with self._database.tenant(account) as connection:
            done = await connection.execute(
                "UPDATE webhook_deliveries SET state = 'waiting' "
                "WHERE webhook_id = $1 AND id = $2 AND state <> 'waiting'",
                *(webhook, delivery),
            )
            if done != "UPDATE 1":
                return False
            await put(connection, _work(account, delivery))
        return True

    async def posted(self, account: UUID, delivery: UUID) -> Posted | None:
        """What a worker is to send; None when there is nothing to be sent any more.

        What waits for a webhook that is disabled is given up, so that it can be asked for again.
        """
        async with self._database.tenant(account) as connection:
            await connection.execute(
                """
                UPDATE webhook_deliveries AS one SET state = 'failed', error = 'disabled'
                FROM webhooks
                WHERE one.id = $1 AND one.state = 'waiting' AND one.type <> $2
                    AND webhooks.id = one.webhook_id AND NOT enabled
                """,
                *(delivery, EventType.TEST.value),
            )
            row = await connection.fetchrow(
                f"""
                SELECT {", ".join(f"one.{name}" for name in _DELIVERY.split(", "))}, url, secret,
                    CASE WHEN former_until > now() THEN former_secret END AS former_secret
                FROM webhook_deliveries AS one JOIN webhooks ON webhooks.id = one.webhook_id
                WHERE one.id = $1 AND one.state = 'waiting' AND (enabled OR one.type = $2)
                """,  # noqa: S608 - columns of ours
                *(delivery, EventType.TEST.value),
            )
        if row is None:
            return None
        values = dict(row)
        secrets = (values.pop("secret"), values.pop("former_secret"))
        url = values.pop("url")
        return Posted(Delivery(**values), url, tuple(secret for secret in secrets if secret is not None))

    async def note(self, account: UUID, posted: Posted, attempt: Try, patience: timedelta) -> None:
        """How a try went. What took nothing for *patience*, or says that it is gone, is sent nothing any more."""
        state = "delivered" if attempt.error is None else "failed" if attempt.last else "waiting"
        async with self._database.tenant(account) as connection:
            await connection.execute(
                """
                UPDATE webhook_deliveries SET
                    state = $2, attempts = attempts + 1, status = $3, error = $4, seconds = $5, tried_at = now()
                WHERE id = $1
                """,
                *(posted.delivery.id, state, attempt.status, attempt.error, attempt.seconds),
            )
            await connection.execute(
                """
                UPDATE webhooks SET
                    failing_since = CASE WHEN $2::text IS NULL THEN NULL ELSE coalesce(failing_since, now()) END,
                    enabled = enabled AND why.disabled IS NULL,
                    disabled_by = coalesce(why.disabled, disabled_by)
                FROM (
                    SELECT CASE
                        WHEN $2 = 'gone' THEN 'gone'
                        WHEN $2 IS NOT NULL AND failing_since < now() - $3::interval THEN 'failing'
                    END AS disabled
                    FROM webhooks WHERE id = $1
                ) AS why
                WHERE id = $1
                """,
                *(posted.delivery.webhook_id, attempt.error, patience),
            )

    async def forget(self, account: UUID, age: timedelta) -> None:
        """Forget deliveries that are older than *age*."""
        async with self._database.tenant(account) as connection:
            await connection.execute(
                "DELETE FROM webhook_deliveries WHERE account_id = $1 AND happened_at < now() - $2::interval",
                *(account, age),
            )


def _work(account: UUID, delivery: UUID) -> Work:
    return Work(account, WEBHOOK, payload={"delivery": str(delivery)})


def _webhook(row: asyncpg.Record) -> Webhook:
    values = dict(row)
    return Webhook(**{**values, "events": tuple(values["events"])})
