"""What the benchmark's callers say, read from a TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator.core.errors import ConfigError
from telephony.sip.caller import Codec

SCENARIOS = Path(__file__).parent / "scenarios"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CallPlan(_Part):
    """One call: its lines one after another, each after the reply to the one before."""

    codec: Codec = "PCMU"
    lines: Annotated[tuple[str, ...], Field(min_length=1)]


class Interruption(_Part):
    """One call: the question as often as there are lines, each said over its reply, *over* seconds in."""

    codec: Codec = "PCMU"
    question: str
    over: Annotated[float, Field(gt=0)]
    lines: Annotated[tuple[str, ...], Field(min_length=1)]


class Scenario(_Part):
    """agent: a definition in scenarios/agents; number: what is dialled."""

    agent: str
    number: str
    calls: tuple[CallPlan, ...] = ()
    interruptions: tuple[Interruption, ...] = ()

    def words(self) -> set[str]:
        """Every line that is said."""
        said = {line for call in self.calls for line in call.lines}
        for interruption in self.interruptions:
            said |= {interruption.question, *interruption.lines}
        return said


def read_scenario(path: Path) -> Scenario:
    """The scenario in *path*. Raises ConfigError that names the file, the field and what is accepted."""
    try:
        return Scenario.model_validate(tomllib.loads(path.read_text()))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise ConfigError(f"{path}: {faults}") from error
