"""Agent definitions: one TOML file an agent, and which agent answers which number."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from inference.complaint import explain
from orchestrator.core.acquaintance import Memory
from orchestrator.core.agent import Agent, ApprovedAnswer, Phrases, RecordingPolicy
from orchestrator.core.errors import ConfigError
from orchestrator.core.expectation import ANYTHING, Expectation, Form
from orchestrator.core.privacy import Masking

# Every text that is said word for word is rendered before the agent answers, so there cannot be any number of them.
_MOST_ANSWERS, _MOST_QUESTIONS, _MOST_PRONUNCIATIONS = 300, 50, 1000
_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
AGENT_NAME = r"^[a-z0-9][a-z0-9-]*$"
# A phone number in any spelling, or a SIP user part: with a letter or a digit, which is all that routing compares.
NUMBER = r"^[+*#~!(). /_-]*[0-9A-Za-z][0-9A-Za-z+*#~!(). /_-]*$"
_Number = Annotated[str, StringConstraints(strip_whitespace=True, pattern=NUMBER)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _ExpectationSpec(_Strict):
    form: Literal["digits", "date", "email", "spelling"]
    count: Annotated[int, Field(ge=1, le=64)] | None = None

    def expectation(self) -> Expectation:
        return Expectation(Form(self.form), self.count)


class _AnswerSpec(_Strict):
    questions: Annotated[tuple[_Text, ...], Field(min_length=1, max_length=_MOST_QUESTIONS)]
    answer: _Text
    expects: _ExpectationSpec | None = None


class _PhrasesSpec(_Strict):
    wait: _Text = Phrases().wait
    trouble: _Text = Phrases().trouble
    goodbye: _Text = Phrases().goodbye
    still_there: _Text = Phrases().still_there
    nobody_there: _Text = Phrases().nobody_there
    time_up: _Text = Phrases().time_up
    recording_notice: _Text = Phrases().recording_notice
    recording_question: _Text = Phrases().recording_question
    recording_again: _Text = Phrases().recording_again
    recording_agreed: _Text = Phrases().recording_agreed
    recording_declined: _Text = Phrases().recording_declined


class AgentDefinition(_Strict):
    """What an agent is, but for its name and numbers: what is drafted and published."""

    greeting: _Text
    persona: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
    subject: Annotated[str, StringConstraints(max_length=2000)] = ""
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")] = "en"
    voice: Annotated[str, StringConstraints(max_length=200)] = ""
    patience: Literal["quick", "normal", "patient"] | Annotated[float, Field(ge=0.2, le=5.0)] | None = None
    answers: Annotated[tuple[_AnswerSpec, ...], Field(max_length=_MOST_ANSWERS)] = ()
    phrases: _PhrasesSpec = _PhrasesSpec()
    pronunciations: Annotated[dict[_Text, _Text], Field(max_length=_MOST_PRONUNCIATIONS)] = {}
    recording: Literal["off", "ask", "notice", "always"] = "off"
    masking: Masking = Masking.NONE
    memory: Memory = Memory.OFF

    @model_validator(mode="after")
    def _asks_each_question_once(self) -> Self:
        questions = [question.casefold() for spec in self.answers for question in spec.questions]
        if (doubled := _doubled(questions)) is not None:
            raise ValueError(f"answers: {doubled!r} stands twice; a question has one answer")
        return self

    @model_validator(mode="after")
    def _pronounces_each_word_once(self) -> Self:
        words = [word.casefold() for word in self.pronunciations]
        if (doubled := _doubled(words)) is not None:
            raise ValueError(f"pronunciations: {doubled!r} stands twice; capitals make no difference")
        return self

    def agent(self, name: str, numbers: tuple[str, ...] = ()) -> Agent:
        """The agent of this definition."""
        return Agent(
            name=name,
            numbers=numbers,
            greeting=self.greeting,
            persona=self.persona,
            subject=self.subject,
            language=self.language,
            voice=self.voice,
            patience=self.patience,
            answers=tuple(
                ApprovedAnswer(spec.questions, spec.answer, spec.expects.expectation() if spec.expects else ANYTHING)
                for spec in self.answers
            ),
            phrases=Phrases(**self.phrases.model_dump()),
            pronunciations=self.pronunciations,
            recording=RecordingPolicy(self.recording),
            masking=self.masking,
            memory=self.memory,
        )


class AgentFile(AgentDefinition):
    """An agent as a file has it."""

    name: Annotated[str, StringConstraints(pattern=AGENT_NAME)]
    numbers: Annotated[tuple[_Number, ...], Field(min_length=1)]

    def definition(self) -> dict[str, Any]:
        """The definition alone, as JSON."""
        return self.model_dump(mode="json", exclude={"name", "numbers"})


def _doubled(values: list[str]) -> str | None:
    """The first, by letters, that stands more than once."""
    return min((value for value, times in Counter(values).items() if times > 1), default=None)


def read_agent(path: Path) -> Agent:
    """The agent defined in *path*. Raises ConfigError that names the file, the field and what is accepted."""
    file = read_agent_file(path)
    return file.agent(file.name, file.numbers)


def read_agent_file(path: Path) -> AgentFile:
    """The same, as it was written."""
    try:
        return AgentFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from error
    except ValidationError as error:
        raise ConfigError(
            f"{explain(error, str(path), AgentFile)}; "
            f"an agent has {', '.join(['name', 'numbers', *AgentDefinition.model_fields])}"
        ) from error


def read_agents(folder: Path) -> tuple[AgentFile, ...]:
    """Every agent in *folder*, by file name. Raises ConfigError when there is none, or two share a name or number."""
    if not folder.is_dir():
        raise ConfigError(f"agents: there is no folder {folder}; it holds one <name>.toml an agent")
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        raise ConfigError(f"{folder}: there is no agent; put at least one <name>.toml here")
    agents = tuple(read_agent_file(path) for path in paths)
    _refuse_doubles("name", ((agent.name, path) for agent, path in zip(agents, paths, strict=True)))
    _refuse_doubles(
        "number", ((route(number), path) for agent, path in zip(agents, paths, strict=True) for number in agent.numbers)
    )
    return agents


def _refuse_doubles(field: str, owners: Iterable[tuple[str, Path]]) -> None:
    seen: dict[str, Path] = {}
    for value, path in owners:
        if value in seen:
            raise ConfigError(f"{path}: {field} {value!r} is also that of {seen[value]}; each {field} has one agent")
        seen[value] = path


def route(number: str) -> str:
    """The form in which numbers are compared: "+1 (555) 010-2345" and "15550102345" are one."""
    digits = "".join(character for character in number if character.isdigit())
    return digits if digits and not any(character.isalpha() for character in number) else number.lower()
