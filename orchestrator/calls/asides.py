"""Sounds over the agent that do not take the turn: an "uh-huh", a cough."""

from __future__ import annotations

import asyncio

import structlog

from orchestrator.calls.heard import TurnEnded
from orchestrator.calls.setup import CallSetup
from orchestrator.core.errors import EngineError
from orchestrator.core.turn import Turn
from orchestrator.dialogue.interjections import WANTED, wants_turn

log = structlog.get_logger(__name__)

# Seconds of the longest sound that is no interruption.
_LONGEST = 1.5
# Seconds after which an interruption that was none has cost less than one that waits for its answer.
_JUDGED_WITHIN = 0.6


async def is_aside(setup: CallSetup, cut: Turn, ended: TurnEnded) -> bool:
    """Whether the sound *ended*, which silenced the reply of *cut*, was no interruption.

    What cannot be judged is one.
    """
    if ended.hung_up or ended.failure is not None or not cut.rest or ended.voice_ended - ended.started > _LONGEST:
        return False
    sound = ended.speech.until(ended.voice_ended)
    try:
        async with asyncio.timeout(_JUDGED_WITHIN):
            sounded = await setup.engines.interjections.classify(sound)
            readings = await setup.engines.recognizer.readings(sound, language=setup.hearing.language)
    except (EngineError, ValueError, TimeoutError) as error:
        log.warning("interjection_not_judged", error=f"{type(error).__name__}: {error}")
        return False
    return wants_turn(sounded, readings, asked=cut.asks) < WANTED
