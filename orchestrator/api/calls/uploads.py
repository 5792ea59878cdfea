"""`POST /api/v1/calls/simulate/upload`: an agent talks to a recording that somebody uploads."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from orchestrator.access.roles import Permission
from orchestrator.access.tokens import Identity
from orchestrator.api.calls.placing import Simulated, VersionNumber, on_duty
from orchestrator.api.calls.simulations import Simulations
from orchestrator.api.door import Door
from orchestrator.calls.typed import RATE
from orchestrator.core.audio import AudioFrame
from orchestrator.core.errors import ApiError
from orchestrator.roster import AgentRoster
from telephony.virtual.sound_file import FORMATS, read_sound

# Decoding takes memory and a core: so many uploads at once, of whomever.
_DECODERS: Final = 2
_BODY: Final = {
    "required": True,
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


def uploads_router(roster: AgentRoster, simulations: Simulations, door: Door) -> APIRouter:
    """The route."""
    router = APIRouter(prefix="/api/v1", tags=["calls"])
    placer = Depends(door.needs(Permission.PLACE_CALLS))
    decoders = asyncio.Semaphore(_DECODERS)

    @router.post("/calls/simulate/upload", status_code=201, openapi_extra={"requestBody": _BODY})
    async def simulate_recording(
        request: Request,
        agent_id: Annotated[UUID, Query()],
        version: Annotated[VersionNumber | Literal["draft"] | None, Query()] = None,
        who: Identity = placer,
    ) -> Simulated:
        """Let an agent hear a recording of a caller, ten minutes at most, as if somebody called and said that."""
        agent = await on_duty(roster, who.account, agent_id, version)
        data = await request.body()  # before there is a place to decode it: a slow sender holds nobody else up
        async with decoders:
            speech = await _read(data)
        return Simulated(id=simulations.play_to(agent, speech), socket=None)

    return router


async def _read(data: bytes) -> AudioFrame:
    try:
        return await asyncio.to_thread(read_sound, data, RATE)
    except ValueError as error:
        raise ApiError(422, "unreadable_audio", f"{error}; the body is a file in {', '.join(FORMATS)}") from error
