"""What the database knows of a caller when a call begins."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from orchestrator.core.acquaintance import Acquaintance, EarlierCall
from orchestrator.store.db import Database

MOST_CALLS: Final = 3

_CONTACT: Final = (
    "SELECT name, coalesce(language, '') AS language, notes FROM contacts WHERE account_id = $1 AND number = $2"
)
# Each side by the index of its column.
_EARLIER: Final = f"""
    SELECT now() - started_at AS ago, summary FROM (
        (
            SELECT started_at, summary FROM calls
            WHERE account_id = $1 AND caller = ANY ($2) AND direction = 'inbound' AND agent_id = $3 AND summary <> ''
            ORDER BY started_at DESC LIMIT {MOST_CALLS}
        ) UNION ALL (
            SELECT started_at, summary FROM calls
            WHERE account_id = $1 AND callee = ANY ($2) AND direction = 'outbound' AND agent_id = $3 AND summary <> ''
            ORDER BY started_at DESC LIMIT {MOST_CALLS}
        )
    ) AS both_ways ORDER BY started_at DESC LIMIT {MOST_CALLS}
"""  # noqa: S608 - a number of ours


class AcquaintancesRepository:
    """Whom accounts know; each method sees one account alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, account: UUID, number: str, agent: UUID | None) -> Acquaintance | None:
        """Who has *number*, as numbers are compared. agent: whose earlier calls with them to find; None for none."""
        known = number.removeprefix("00")
        async with self._database.tenant(account) as connection:
            contact = await connection.fetchrow(_CONTACT, account, known)
            spellings = [number, known, f"00{known}", f"+{known}"]
            rows = [] if agent is None else await connection.fetch(_EARLIER, account, spellings, agent)
        if contact is None and not rows:
            return None
        earlier = tuple(EarlierCall(row["ago"], row["summary"]) for row in rows)
        return Acquaintance(**dict(contact or {}), earlier=earlier)
