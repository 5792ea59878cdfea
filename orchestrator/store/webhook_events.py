"""What webhooks are told of, put before them in the transaction of what happened."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

import asyncpg

from orchestrator.store.jobs import Work, put

WEBHOOK: Final = "webhook"


class EventType(StrEnum):
    """What may be told."""

    CALL_STARTED = "call.started"
    CALL_ENDED = "call.ended"
    CALL_ANALYSED = "call.analysed"
    RECORDING_READY = "recording.ready"
    AGENT_PUBLISHED = "agent.published"
    TEST = "webhook.test"


_TELL = """
    INSERT INTO webhook_deliveries (account_id, webhook_id, event_id, type, data)
    SELECT account_id, id, $2, $3, $4 FROM webhooks WHERE account_id = $1 AND enabled AND $3 = ANY (events)
    ON CONFLICT (webhook_id, event_id) DO NOTHING
    RETURNING id
"""

_CALL = """
    SELECT account_id, jsonb_build_object(
        'call_id', id, 'agent', agent, 'agent_id', agent_id, 'version', agent_version, 'direction', direction,
        'driver', driver, 'reason', end_reason, 'duration', duration
    ) AS data
    FROM calls WHERE id = $1
"""


_GIVE_UP = """
    UPDATE webhook_deliveries SET state = 'failed', error = $2
    WHERE state = 'waiting' AND id = (SELECT (payload ->> 'delivery')::uuid FROM jobs WHERE id = $1)
"""


async def tell(
    connection: asyncpg.Connection, account: UUID, event: UUID, kind: EventType, data: Mapping[str, object]
) -> None:
    """Have every webhook of *account* that wants it told, once for each *event* id. data: ids and figures."""
    for row in await connection.fetch(_TELL, account, event, kind.value, data):
        await put(connection, Work(account, WEBHOOK, payload={"delivery": str(row["id"])}, id=row["id"]))


async def tell_of_call(connection: asyncpg.Connection, call: UUID, kind: EventType) -> None:
    """The same of *call*, which is there."""
    row = await connection.fetchrow(_CALL, call)
    await tell(connection, row["account_id"], uuid5(call, kind), kind, row["data"])


async def give_up(connection: asyncpg.Connection, job: UUID, error: str) -> None:
    """*job*, which was to send a delivery, is over: one that still waits has failed, with *error*."""
    await connection.execute(_GIVE_UP, job, error)
