"""What may be asked of an engine from outside its process, and how long an answer may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inference.manifest import Kind


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of a port.

    deadline: seconds to the answer, or to the first item of a stream; pause: seconds from one item to the next, None
    when the answer is one value.
    """

    deadline: float
    pause: float | None = None

    @property
    def streams(self) -> bool:
        """Whether the answer comes in pieces."""
        return self.pause is not None


# Several times what any takes on two busy cores (docs/decisions/0009): beyond these an engine is stuck, not slow.
# A call waits a little longer than that (orchestrator.calls), so that it is the engine's deadline that is missed.
OPERATIONS: Mapping[Kind, Mapping[str, Operation]] = {
    "stt": {"recognize": Operation(5.0), "readings": Operation(5.0), "timed": Operation(30.0)},
    "llm": {"complete": Operation(7.0, pause=5.0), "prefill": Operation(15.0), "end_of_utterance": Operation(5.0)},
    "tts": {"synthesize": Operation(5.0, pause=5.0)},
    "embed": {"embed": Operation(5.0)},
    "sentiment": {"score": Operation(5.0)},
    "turns": {"finished": Operation(10.0)},
    "interjections": {"classify": Operation(5.0)},
}
