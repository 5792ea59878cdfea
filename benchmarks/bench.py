"""What every measurement over SIP needs: a phone, a system to call, and the audio of what is asked."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.caller import MeasuredCall, measured_call
from benchmarks.conversation import Line, Manners
from benchmarks.system import System
from benchmarks.timeline import AgentTurn, read_turns
from telephony.sip.caller import Codec, Dialling, Phone

# Sentences of a slow reply may lie more than a second apart; two seconds of silence are the end.
_MANNERS = Manners(quiet=2.0)


@dataclass(frozen=True, slots=True)
class Bench:
    """What calls are made with.

    number: of the agent under test; lines: what can be said, by its words; told: takes a line for the operator;
    keep: folder for the recordings of both ends of every call and for what the agent stored of it.
    """

    phone: Phone
    system: System
    number: str
    lines: Mapping[str, Line]
    told: Callable[[str], None]
    keep: Path | None = None

    def call(self, codec: Codec, asked: Sequence[Line]) -> tuple[MeasuredCall, list[AgentTurn]]:
        """A call measured at the caller, and the turns that the agent stored of it.

        Raises CarrierRejected when nobody answers and SystemFailed when the call is not stored.
        """
        # Its number is how the stored call is found again.
        caller = f"bench-{uuid.uuid4().hex[:12]}"
        dialling = Dialling(self.system.uri(self.number), caller=caller, codec=codec)
        measured = measured_call(self.phone, dialling, asked, _MANNERS)
        stored = self.system.call_from(caller)
        if self.keep is not None:
            self._keep(self.keep, caller, measured, stored)
        return measured, read_turns(stored)

    def _keep(self, folder: Path, caller: str, measured: MeasuredCall, stored: Mapping[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        measured.placed.save(folder / f"{caller}-caller.wav")
        (folder / f"{caller}-agent.wav").write_bytes(self.system.recording(stored["id"]))
        (folder / f"{caller}.json").write_text(json.dumps(stored, indent=2) + "\n")
