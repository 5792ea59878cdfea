"""`python -m benchmarks.echo_call`: whole calls over SIP from telephones that send back what they hear.

alone: the agent talks for most of a minute and nobody says a word, so every onset, word and reply is a false one.
talk: people speak over the agent and are answered, from telephones with echo and without. Each can be measured with the
guard and without it; one run is one part, and the figures of several runs share a file.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import jiwer
import typer
from rich.console import Console

from benchmarks.bargein import interruptions
from benchmarks.conversation import Line
from benchmarks.echo_caller import Done, Errand, run, telephones
from benchmarks.questions import questions
from benchmarks.scenario import agent_file
from benchmarks.statistics import summary
from benchmarks.system import Setup, System, SystemFailed, running
from benchmarks.timeline import AgentTurn, matched, read_turns
from benchmarks.wer import normalized
from inference.registry import Registry, default_cache
from orchestrator.core.errors import ConfigError
from orchestrator.core.turn import Mark

RESULTS = Path(__file__).parent / "results" / "echo_call.json"
# The greeting of the agent that is listened to, and what may come after it.
_LISTENED = 60.0
_TRUNKS = '[[trunks]]\nname = "here"\nnetworks = ["127.0.0.0/8"]\necho_guard = {}\n'
_QUESTION = "Please tell me about all of your services."
# What is said over the answer, and after how many seconds of it.
_OVER = (
    ("What are your opening hours?", 2.3),
    ("prompt/vm-nobodyavail", 5.1),
    ("How much does a new line cost?", 3.4),
    ("prompt/tt-weasels", 7.2),
    ("How do I reset my password?", 1.6),
    ("prompt/number-not-answering", 9.3),
)
_A_CALL = 3
# Whoever is not noticed for so long has not interrupted anybody.
_LATEST = 2.0

Figures: TypeAlias = dict[str, object]
Stored: TypeAlias = Mapping[str, Any]


class Part(StrEnum):
    """Whether anybody speaks but the agent."""

    ALONE = "alone"
    TALK = "talk"


_AGENTS = {Part.ALONE: ("announcer", "echo"), Part.TALK: ("helpdesk", "bench")}


def alone(calls: Iterable[tuple[Done, Stored]], told: Console) -> Figures:
    """What the agent made of its own voice."""
    seconds = 0.0
    counts: Counter[str] = Counter()
    by_place: Counter[str] = Counter()
    for one, stored in calls:
        turns = read_turns(stored)
        happened = Counter(event["type"] for event in stored["events"])
        onsets, told_apart = happened["speech_started"], happened["echo"]
        words = [turn.caller_text for turn in turns if turn.caller_text]
        spoken = sum(turn.marks[Mark.REPLY_ENDED] - turn.marks[Mark.REPLY_STARTED] for turn in turns if _spoke(turn))
        cut = sum(Mark.INTERRUPTED in turn.marks for turn in turns)
        line = one.errand.telephone.line
        if onsets and line is not None:
            by_place[line.place] += onsets
        seconds += spoken
        counts.update(
            calls=1, onsets=onsets, echoes=told_apart, interrupted=cut, replies=len(words), words=_count(words)
        )
        told.print(f"{one.errand.telephone}: {onsets} onsets, {cut} interrupted, {words}", highlight=False)
    return {"agent_minutes": round(seconds / 60, 1), **counts, "onsets_by_place": dict(by_place)}


def talk(calls: Iterable[tuple[Done, Stored]], told: Console) -> Figures:
    """Who was noticed over the agent and how soon, and how well the lines were understood."""
    silenced: list[float] = []
    missed: list[str] = []
    pairs: list[tuple[str, str]] = []
    counts: Counter[str] = Counter()
    for one, stored in calls:
        turns = read_turns(stored)
        assert one.call is not None
        for found in interruptions(one.call, turns, one.errand.telephone.codec):
            if found.silenced is None or found.silenced > _LATEST:
                missed.append(f"{one.errand.telephone}: {found.line.text}")
            else:
                silenced.append(found.silenced)
        heard = [turn.caller_text if turn else "" for turn in matched(one.call.turns, turns)]
        pairs += [
            (normalized(turn.line.text), normalized(text)) for turn, text in zip(one.call.turns, heard, strict=True)
        ]
        extra = sum(bool(turn.caller_text) for turn in turns) - sum(map(bool, heard))
        told_apart = sum(event["type"] == "echo" for event in stored["events"])
        counts.update(calls=1, echoes=told_apart, turns_nobody_took=extra)
        told.print(f"{one.errand.telephone}: {heard}", highlight=False)
    return {
        **counts,
        "interruptions": len(silenced) + len(missed),
        "missed": missed,
        "barge_in_s": summary(silenced),
        "lines": len(pairs),
        "wer": round(float(jiwer.wer([said for said, _ in pairs], [text for _, text in pairs])), 4) if pairs else None,
        "lines_without_words": sum(not text for _, text in pairs),
    }


def _stored(done: Iterable[Done], system: System, told: Console, keep: Path | None) -> Iterator[tuple[Done, Stored]]:
    """Each call with what the agent stored of it. Those that failed are told and left out."""
    for number, one in enumerate(done):
        if one.call is None:
            told.print(f"{one.errand.telephone}: {one.failure}", highlight=False, style="red")
            continue
        stored = system.call_from(one.caller)
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{number:02} {one.errand.telephone}.wav").write_bytes(system.recording(stored["id"]))
        yield one, stored


def _spoke(turn: AgentTurn) -> bool:
    return Mark.REPLY_STARTED in turn.marks and Mark.REPLY_ENDED in turn.marks


def _count(texts: Iterable[str]) -> int:
    return sum(len(text.split()) for text in texts)


def _errands(part: Part, uri: str, lines: Mapping[str, Line], count: int, echo: bool) -> Iterator[Errand]:
    for number, telephone in enumerate(telephones(count, echo=echo)):
        if part is Part.ALONE:
            yield Errand(uri, telephone, seconds=_LISTENED)
            continue
        said = []
        for turn in range(_A_CALL):
            words, over = _OVER[(number * _A_CALL + turn) % len(_OVER)]
            spoken = lines[words]
            said += [lines[_QUESTION], Line(spoken.name, spoken.pcm, spoken.text, over)]
        yield Errand(uri, telephone, tuple(said))


@contextmanager
def _system(part: Part, guard: bool, profile: str) -> Iterator[System]:
    with tempfile.TemporaryDirectory(prefix="offhook-echo-") as folder:
        agents = Path(folder) / "agents"
        agents.mkdir()
        shutil.copy(agent_file(_AGENTS[part][0]), agents)
        trunks = Path(folder) / "trunks.toml"
        trunks.write_text(_TRUNKS.format(str(guard).lower()))
        with running(Setup(Path(folder) / "data", agents, profile, {"OFFHOOK_TRUNKS": str(trunks)})) as system:
            yield system


def main(  # noqa: PLR0913, PLR0917 - one parameter an option
    part: Annotated[Part, typer.Option(help="Whether anybody speaks over the agent.")] = Part.ALONE,
    guard: Annotated[bool, typer.Option(help="With the echo guard or without it.")] = True,
    echo: Annotated[bool, typer.Option(help="Telephones with echo, or the same without.")] = True,
    calls: Annotated[int, typer.Option(help="How many; fifteen have every place and level.", min=1)] = 15,
    keep: Annotated[Path | None, typer.Option(help="Where to keep the agent's recordings of the calls.")] = None,
    at_once: Annotated[int, typer.Option(help="How many at a time.", min=1, max=4)] = 3,
    profile: Annotated[str, typer.Option(help="The profile under test.")] = "cpu-tiny",
    output: Annotated[Path, typer.Option(help="Where the figures go, beside those of other runs.")] = RESULTS,
) -> None:
    """Measure echoes over SIP. Exits 2 when something that it needs is missing."""
    console = Console()
    try:
        spoken = {_QUESTION, *(words for words, _ in _OVER)} if part is Part.TALK else set()
        lines = questions(spoken, Registry(), profile, default_cache() / "benchmark-speech")
        with _system(part, guard, profile) as system:
            done = run(_errands(part, system.uri(_AGENTS[part][1]), lines, calls, echo), at_once)
            calls_stored = _stored(done, system, console, keep)
            figures = {Part.ALONE: alone, Part.TALK: talk}[part](calls_stored, console)
    except (ConfigError, SystemFailed) as error:
        console.print(str(error), style="red", highlight=False, soft_wrap=True, markup=False)
        raise typer.Exit(2) from error
    name = f"{part}, {'echo' if echo else 'no echo'}, {'guarded' if guard else 'unguarded'}"
    figures |= {"at_once": at_once, "profile": profile, "load_average": os.getloadavg()}
    known: dict[str, Any] = json.loads(output.read_text()) if output.is_file() else {}
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps({**known, name: figures}, indent=2) + "\n")
    console.print(name, json.dumps(figures, indent=1), highlight=False)


if __name__ == "__main__":
    typer.run(main)
