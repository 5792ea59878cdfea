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


# Far above what any of them takes on two busy cores (docs/decisions/0010): beyond these an engine is stuck, not slow.
OPERATIONS: Mapping[Kind, Mapping[str, Operation]] = {
    "stt": {"recognize": Operation(20.0)},
    "llm": {"complete": Operation(20.0, pause=10.0), "prefill": Operation(30.0)},
    "tts": {"synthesize": Operation(10.0, pause=10.0)},
    "embed": {"embed": Operation(20.0)},
    "sentiment": {"score": Operation(10.0)},
    "turns": {"finished": Operation(10.0)},
}
