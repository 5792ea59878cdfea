"""`python -m benchmarks.echo`: what the echo guard does to calls with and without echo, judged by the product's ear.

Onsets are those that would interrupt the agent: Silero's probabilities through the endpointing of a call. Somebody
counts as missed when no onset comes while the person speaks; its delay is against the same call without any echo.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias, cast

import numpy as np
import typer

from benchmarks.conversation import FRAME, RATE
from benchmarks.echo_set import SECONDS, Cast, EchoCall, Interruption, Split, cast_of, echo_calls
from benchmarks.wer import normalized
from inference.manifest import Kind
from inference.registry import Registry, build_engine, default_cache
from inference.vad.silero import Silero
from orchestrator.calls.endpointing import Endpointer, Signal
from orchestrator.core.audio import AudioFrame, Pcm, level_dbfs
from orchestrator.core.errors import ConfigError
from orchestrator.core.ports import Recognizer
from telephony.echo import EchoGuard

RESULTS = Path(__file__).parent / "results"
_TURN_OVER = 0.4
_LATE = 0.2
_EARLY = 0.05
_BEFORE, _AFTER = 0.4, 0.3

Figures: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class Voiced:
    """Speech as the ear finds it: from onset to end, seconds. noticed: when the onset was certain."""

    noticed: float
    start: float
    end: float


class Judge:
    """The profile's detector and recogniser."""

    def __init__(self, registry: Registry, profile: str) -> None:
        def opened(kind: Kind) -> object:
            manifest = registry.manifest(registry.profile(profile).engines[kind].model)
            return build_engine(manifest, registry.files(manifest), threads=1)

        self._vad = cast("Silero", opened("vad"))
        self._recognizer = cast("Recognizer", opened("stt"))

    def speech(self, pcm: Pcm) -> list[Voiced]:
        """The stretches of speech that the ear of a call would find in *pcm*."""
        stream, endpointer = self._vad.open(), Endpointer()
        found: list[Voiced] = []
        for first in range(0, len(pcm) - stream.window + 1, stream.window):
            at, end = first / RATE, (first + stream.window) / RATE
            window = pcm[first : first + stream.window]
            if endpointer.hear(stream.speech_probability(window), at, end) is Signal.ONSET:
                found.append(Voiced(end, endpointer.started, end))
            if endpointer.speaking:
                found[-1] = Voiced(found[-1].noticed, found[-1].start, endpointer.ended)
            if endpointer.silence(end) > _TURN_OVER:
                endpointer.reset()
        return found

    def words(self, pcm: Pcm, stretches: Sequence[Voiced]) -> list[str]:
        """What the recogniser makes of each stretch, normalised."""
        cuts = [
            pcm[max(0, round((one.start - _BEFORE) * RATE)) : round((one.end + _AFTER) * RATE)] for one in stretches
        ]
        return [normalized(text) for text in asyncio.run(self._recognized(cuts))]

    async def _recognized(self, cuts: Sequence[Pcm]) -> list[str]:
        return [(await self._recognizer.recognize(AudioFrame(cut, RATE), language="en")).text for cut in cuts]


def guarded(near: Pcm, far: Pcm) -> tuple[Pcm, list[float]]:
    """*near* as a guard lets it pass, and the milliseconds that each frame took."""
    guard, frames, spent = EchoGuard(RATE), [], []
    for first in range(0, len(near) - FRAME + 1, FRAME):
        began = time.perf_counter()
        frames.append(guard.hear(near[first : first + FRAME], far[first : first + FRAME]))
        spent.append(1000 * (time.perf_counter() - began))
    return np.concatenate(frames), spent


def echo_alone(judge: Judge, calls: Sequence[EchoCall]) -> Figures:
    """Calls in which nobody speaks but the agent: every onset is a false one."""
    by_place: dict[str, list[int]] = {}
    before = after = 0
    voiced, words, spent = 0.0, 0, []
    for call in calls:
        assert call.line is not None
        out, times = guarded(call.near, call.far)
        spent += times
        raw, left = judge.speech(call.near), judge.speech(out)
        before, after = before + len(raw), after + len(left)
        voiced += sum(one.end - one.start for one in left)
        words += sum(len(text.split()) for text in judge.words(out, left))
        by_place.setdefault(call.line.place, []).append(len(left))
    return {
        "minutes": round(len(calls) * SECONDS / 60, 1),
        "onsets_unguarded": before,
        "onsets": after,
        "onset_seconds": round(voiced, 2),
        "words": words,
        "onsets_by_place": {place: sum(counts) for place, counts in by_place.items()},
        "ms_a_frame_p50": round(float(np.median(spent)), 3),
        "ms_a_frame_p99": round(float(np.percentile(spent, 99)), 3),
    }


def double_talk(judge: Judge, calls: Sequence[EchoCall]) -> Figures:
    """People speak over the agent: who is heard, how much later, and how many of their words' stretches survive."""
    missed: list[str] = []
    delays: dict[str, list[float]] = {"guarded": [], "unguarded": []}
    total = 0
    for call in calls:
        clean = judge.speech(call.clean)
        heard = {"guarded": judge.speech(guarded(call.near, call.far)[0]), "unguarded": judge.speech(call.near)}
        for interruption in call.interruptions:
            wanted = _onset(clean, interruption)
            if wanted is None:
                continue
            total += 1
            for way, found in heard.items():
                onset = _onset(found, interruption)
                if onset is not None:
                    delays[way].append(onset - wanted)
                elif way == "guarded":
                    missed.append(f"{call.line.place if call.line else 'no echo'}: {interruption.text}")
    delayed = np.array(delays["guarded"])
    return {
        "interruptions": total,
        "missed": len(missed),
        "missed_which": missed,
        "delay_p50": round(float(np.median(delayed)), 3),
        "delay_mean": round(float(np.mean(delayed)), 3),
        "delay_p90": round(float(np.percentile(delayed, 90)), 3),
        "delay_max": round(float(np.max(delayed)), 3),
        "later_than_0.1_s": int(np.sum(delayed > 0.1)),
        "heard_unguarded": len(delays["unguarded"]),
    }


def no_echo(judge: Judge, calls: Sequence[EchoCall]) -> Figures:
    """The same calls over lines that send nothing back: what the guard changes."""
    frames = touched = silent_touched = 0
    damage: list[float] = []
    onsets = {"guarded": 0, "unguarded": 0}
    for call in calls:
        out, _ = guarded(call.near, call.far)
        whole = call.near[: len(out)].reshape(-1, FRAME)
        changed = (out.reshape(-1, FRAME) != whole).any(axis=1)
        quiet = ~(call.far[: len(out)].reshape(-1, FRAME).any(axis=1))
        frames, touched = frames + len(changed), touched + int(changed.sum())
        silent_touched += int((changed & quiet).sum())
        if changed.any():
            difference = out.astype(np.int32) - call.near[: len(out)]
            damage.append(level_dbfs(np.clip(difference, -32768, 32767).astype(np.int16)) - level_dbfs(call.near))
        onsets["unguarded"] += len(judge.speech(call.near))
        onsets["guarded"] += len(judge.speech(out))
    return {
        "frames": frames,
        "touched": touched,
        "touched_while_agent_is_silent": silent_touched,
        "calls_touched": len(damage),
        "distortion_db_worst": round(max(damage), 1) if damage else None,
        **{f"onsets_{way}": count for way, count in onsets.items()},
    }


def _onset(found: Sequence[Voiced], interruption: Interruption) -> float | None:
    within = (one.noticed for one in found if one.noticed - interruption.start >= -_EARLY)
    first = next(within, None)
    return first if first is not None and first <= interruption.end + _LATE else None


def measure(cast: Cast, judge: Judge, count: int) -> Figures:
    """All figures of *cast*'s split on *count* calls of each kind."""
    parts: dict[str, Callable[[], Figures]] = {
        "echo_alone": lambda: echo_alone(judge, echo_calls(cast, count, talk=False)),
        "double_talk": lambda: double_talk(judge, echo_calls(cast, count, talk=True)),
        "talk_without_echo": lambda: double_talk(judge, echo_calls(cast, count, talk=True, echo=False)),
        "no_echo": lambda: no_echo(judge, echo_calls(cast, count, talk=True, echo=False)),
    }
    figures: Figures = {"split": cast.split, "calls": count}
    for name, part in parts.items():
        figures[name] = part()
        print(name, json.dumps(figures[name], indent=1), flush=True)
    return figures


def main(
    split: Annotated[str, typer.Option(help="dev or heldout.")] = "heldout",
    calls: Annotated[int, typer.Option(help="Calls of 25 s of each kind; 24 are ten minutes.", min=1)] = 25,
    profile: Annotated[str, typer.Option(help="Whose detector and recogniser judge.")] = "cpu-tiny",
    output: Annotated[Path, typer.Option(help="Where the figures go.")] = RESULTS / "echo.json",
) -> None:
    """Measure the echo guard. Exits 2 when something that it needs is missing."""
    if split not in {"dev", "heldout"}:
        raise typer.BadParameter(f"no split {split!r}; accepted are dev and heldout")
    try:
        registry = Registry()
        cast = cast_of(cast_split(split), registry, default_cache() / "echo-speech")
        figures = measure(cast, Judge(registry, profile), calls)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(figures, indent=2) + "\n")


def cast_split(split: str) -> Split:
    """*split* as its type."""
    return cast("Split", split)


if __name__ == "__main__":
    typer.run(main)
