"""What every measurement over SIP needs: a phone, a system to call, and the audio of what is asked."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.caller import MeasuredCall, measured_call
from benchmarks.conversation import Line, Manners
from benchmarks.system import System
from benchmarks.timeline import AgentTurn, read_turns
from telephony.sip.caller import Codec, Dialling, Phone

# Sentences of a slow reply may lie more than a second apart; two seconds of silence are the end.
_MANNERS = Manners(quiet=2.0)


@dataclass(frozen=True, slots=True)
class Bench:
    """number: of the agent under test; lines: what can be said, by its words; told: takes a line for the operator."""

    phone: Phone
    system: System
    number: str
    lines: Mapping[str, Line]
    told: Callable[[str], None]

    def call(self, codec: Codec, asked: Sequence[Line]) -> tuple[MeasuredCall, list[AgentTurn]]:
        """A call measured at the caller, and the turns that the agent stored of it.

        Raises CarrierRejected when nobody answers and SystemFailed when the call is not stored.
        """
        # Its number is how the stored call is found again.
        caller = f"bench-{uuid.uuid4().hex[:12]}"
        dialling = Dialling(self.system.uri(self.number), caller=caller, codec=codec)
        measured = measured_call(self.phone, dialling, asked, _MANNERS)
        return measured, read_turns(self.system.call_from(caller))
