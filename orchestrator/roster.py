"""Who answers: the published agents, prepared for calls, and kept as the database has them.

A call asks memory alone. What is published anywhere is heard of (NOTIFY), prepared beside the calls, and then answers
the next one; a call that runs keeps what it began with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, TypeAlias
from uuid import UUID

import structlog
from pydantic import ValidationError

from inference.complaint import explain
from orchestrator.agents import AgentDefinition
from orchestrator.calls.prepared import OnDuty, PreparedAgent, prepare
from orchestrator.core.errors import ConfigError, EngineError, StoreUnavailable
from orchestrator.core.ports import Embedder, TextToSpeech
from orchestrator.store.agents_repository import AgentsRepository, Definition, Route
from orchestrator.store.follower import RETRY, Follower

AGENTS_CHANNEL: Final = "offhook_agents"

_Version: TypeAlias = tuple[UUID, int, str]
"""An agent, its version, and its name, which calls are recorded under."""

log = structlog.get_logger(__name__)


class AgentRoster:
    """The agents of all accounts. voice: renders what they say word for word.

    follower: keeps them as the database has them.
    """

    def __init__(self, agents: AgentsRepository, embedder: Embedder, voice: TextToSpeech) -> None:
        self._agents = agents
        self._embedder = embedder
        self._voice = voice
        self._by_number: Mapping[str, OnDuty] = {}
        self._prepared: dict[_Version, PreparedAgent] = {}
        self.follower = Follower("agent roster", self.load, lambda: RETRY if self._again else None)
        # Rendering takes the voice of live callers: one agent at a time does.
        self._rehearsing = asyncio.Lock()
        self._again = False  # an engine failed: what could not be prepared may be able to soon

    def get(self, number: str) -> OnDuty | None:
        """Who answers *number* (in routing form)."""
        return self._by_number.get(number)

    async def load(self) -> None:
        """Let those answer that the database says; who cannot be prepared is left as before.

        Raises StoreUnavailable.
        """
        self._again = False
        routes = await self._agents.routes()
        by_number: dict[str, OnDuty] = {}
        prepared_now: dict[_Version, PreparedAgent] = {}
        for route in routes:
            key = (route.agent_id, route.version, route.name)
            try:
                prepared = prepared_now[key] = prepared_now.get(key) or await self._version(route)
            except StoreUnavailable:
                raise
            except Exception as error:  # whatever is wrong with one agent is no fault of the others
                log.error("agent_cannot_answer", agent=route.name, version=route.version, error=str(error))  # noqa: TRY400
                self._again = self._again or isinstance(error, EngineError)
                if (before := self._by_number.get(route.number)) is not None and before.agent_id == route.agent_id:
                    by_number[route.number] = before
                continue
            by_number[route.number] = OnDuty(prepared, route.account, route.agent_id, route.version)
        self._by_number, self._prepared = by_number, prepared_now

    async def on_duty(self, account: UUID, agent: UUID, version: int | None = None) -> OnDuty | None:
        """An agent for a call that asks for it by name: in its published version, or in any *version* of it.

        None when *account* has no such agent or version, or nothing of it is published.
        Raises ConfigError and EngineError.
        """
        stored = await self._agents.get(account, agent)
        number = version or (stored.published if stored is not None else None)
        if stored is None or number is None or await self._agents.version(account, agent, number) is None:
            return None
        prepared = await self._version(Route("", account, agent, stored.name, number))
        return OnDuty(prepared, account, agent, number)

    async def draft(self, account: UUID, agent: UUID) -> OnDuty | None:
        """An agent as its draft is now, to be tried out. None for no such agent. Raises ConfigError and EngineError."""
        stored = await self._agents.get(account, agent)
        return None if stored is None else OnDuty(await self.rehearse(stored.name, stored.draft), account, agent)

    async def rehearse(self, name: str, definition: Definition) -> PreparedAgent:
        """The agent that *definition* makes, ready for calls.

        Raises ConfigError that says what is wrong with it, such as a voice that there is not, and EngineError.
        """
        try:
            agent = AgentDefinition.model_validate(definition).agent(name)
            async with self._rehearsing:
                return await prepare(agent, self._embedder, self._voice)
        except ValidationError as error:
            raise ConfigError(explain(error, "", AgentDefinition)) from error
        except ValueError as error:  # such as a voice that the model does not have
            raise ConfigError(str(error)) from error

    async def _version(self, route: Route) -> PreparedAgent:
        """That of *route*, prepared: kept while it answers a number, made for the occasion otherwise."""
        kept = self._prepared.get((route.agent_id, route.version, route.name))
        if kept is not None:
            return kept
        version = await self._agents.version(route.account, route.agent_id, route.version)
        if version is None:
            raise ConfigError(f"there is no version {route.version}")
        prepared = await self.rehearse(route.name, version.definition)
        log.info("agent_ready", agent=route.name, version=route.version)
        return prepared
