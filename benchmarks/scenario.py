"""What the benchmark's callers say, read from a TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from orchestrator.core.errors import ConfigError
from telephony.sip.caller import Codec

SCENARIOS = Path(__file__).parent / "scenarios"
AGENTS = SCENARIOS / "agents"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CallPlan(_Part):
    """One call: its lines one after another, each after the reply to the one before."""

    codec: Codec = "PCMU"
    lines: Annotated[tuple[str, ...], Field(min_length=1)]


_Moment: TypeAlias = Annotated[float, Field(gt=0)]


class Interruption(_Part):
    """One call: the question as often as there are lines, each said over its reply.

    over: seconds into the reply after which the caller talks, as soon as the agent is heard; one for each line, or the
    same for all. in_a_row: the question is said once, and each line over the reply to the one before it.
    """

    codec: Codec = "PCMU"
    question: str
    over: _Moment | tuple[_Moment, ...]
    lines: Annotated[tuple[str, ...], Field(min_length=1)]
    in_a_row: bool = False

    @model_validator(mode="after")
    def _a_moment_for_each_line(self) -> Self:
        if isinstance(self.over, tuple) and len(self.over) != len(self.lines):
            raise ValueError(f"over: {len(self.over)} moments for {len(self.lines)} lines; one each, or a single one")
        return self

    def moments(self) -> list[tuple[str, float]]:
        """Each line, and how many seconds of a reply it waits for."""
        over = self.over if isinstance(self.over, tuple) else (self.over,) * len(self.lines)
        return list(zip(self.lines, over, strict=True))


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


def scenario_file(name: str) -> Path:
    """The file of a committed scenario by its *name*, or of another one by its path. Raises ConfigError."""
    if Path(name).suffix == ".toml":
        return Path(name)
    committed = {path.stem: path for path in SCENARIOS.glob("*.toml")}
    if name not in committed:
        raise ConfigError(
            f"no scenario {name!r}; accepted are {', '.join(sorted(committed))}, or the path of a TOML file"
        )
    return committed[name]


def agent_file(name: str) -> Path:
    """The definition of the agent that a scenario calls. Raises ConfigError when there is none of that *name*."""
    path = AGENTS / f"{name}.toml"
    if not path.is_file():
        known = sorted(path.stem for path in AGENTS.glob("*.toml"))
        raise ConfigError(f"no agent {name!r} in {AGENTS}; accepted are {', '.join(known)}")
    return path


def read_scenario(path: Path) -> Scenario:
    """The scenario in *path*. Raises ConfigError that names the file, the field and what is accepted."""
    try:
        return Scenario.model_validate(tomllib.loads(path.read_text()))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise ConfigError(f"{path}: {faults}") from error
