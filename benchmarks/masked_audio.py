"""How much of what is personal can still be heard in masked recordings: `python -m benchmarks.masked_audio`.

Held-out sentences are spoken in parts, so that it is known to the sample where what is personal begins and ends. They
are recognised as in a call and then as by the job behind it, and silenced as by that.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
from rich.console import Console

from benchmarks.masking import Sentence, held_out
from benchmarks.turn_ends_voices import Say, piper
from inference.registry import Registry, build_engine
from orchestrator.core.audio import AudioFrame, Pcm
from orchestrator.core.ports import Recognizer
from orchestrator.core.privacy import Masking
from orchestrator.dialogue.spoken_form import spoken
from orchestrator.privacy.masks import find, masked, masks_as_much, without
from orchestrator.privacy.sounds import moments

RATE: Final = 16_000
# The model of the default profile knows English alone.
_FRENCH: Final = re.compile(
    r"[éèàçêùîô]|\b(?:le|la|les|mon|ma|est|je|vous|au|ici|madame|monsieur|alors)\b|c'est", re.IGNORECASE
)
_LOUD: Final = 300  # of 32,768: before and behind, a voice is silent
_PAUSE: Final = 0.3  # seconds before and behind a sentence, as the margins of a line are
_GAP: Final = 0.05  # seconds between its parts
# Less of a word than that tells nobody which it was.
_AUDIBLE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence as it sounds. personal: seconds from when to when."""

    sentence: Sentence
    pcm: Pcm
    personal: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """What masking left of one, in seconds. audible: of what is personal; lost, harmless: of the rest, and all of it;
    whole: all of it was silenced.
    """

    said: Said
    text: str
    audible: float
    lost: float
    harmless: float
    whole: bool


def english() -> list[Sentence]:
    """Those of the held-out sentences in English that hold something personal."""
    return [one for one in held_out() if one.spans and not _FRENCH.search(one.text)]


def say(sentence: Sentence, speak: Say) -> Said:
    """*sentence*, a part at a time."""
    at, pieces, personal = round(_PAUSE * RATE), [np.zeros(round(_PAUSE * RATE), np.int16)], []
    for text, secret in _parts(sentence):
        if not re.search(r"\w", text):
            continue
        pcm = _trimmed(speak(spoken(text, "en")))
        if secret:
            personal.append((at / RATE, (at + len(pcm)) / RATE))
        gap = np.zeros(round(_GAP * RATE), np.int16)
        pieces += [pcm, gap]
        at += len(pcm) + len(gap)
    return Said(sentence, np.concatenate([*pieces, pieces[0]]), tuple(personal))


async def hear(said: Said, live: Recognizer, after: Recognizer) -> Heard:
    """What orchestrator.jobs.recording_masking leaves of it."""
    sound = AudioFrame(said.pcm, RATE)
    line = masked((await live.recognize(sound, language="en")).text, Masking.ALL)
    anew = await after.timed(sound, language="en")
    spans = find(anew.text, Masking.ALL)
    silent = np.zeros(len(said.pcm), np.bool_)
    told = masks_as_much(line, without(anew.text, spans))
    for start, end in moments(anew, spans) if told else [(0.0, sound.duration)]:
        silent[max(round(start * RATE), 0) : round(end * RATE)] = True
    secret = np.zeros(len(said.pcm), np.bool_)
    for start, end in said.personal:
        secret[round(start * RATE) : round(end * RATE)] = True
    seconds = [float(np.count_nonzero(one)) / RATE for one in (secret & ~silent, ~secret & silent, ~secret)]
    return Heard(said, anew.text, seconds[0], seconds[1], seconds[2], whole=not told)


def _parts(sentence: Sentence) -> Iterator[tuple[str, bool]]:
    end = 0
    for span in sentence.spans:
        yield sentence.text[end : span.start], False
        yield sentence.text[span.start : span.end], True
        end = span.end
    yield sentence.text[end:], False


def _trimmed(pcm: Pcm) -> Pcm:
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > _LOUD)
    return pcm[loud[0] : loud[-1] + 1] if len(loud) else pcm[:0]


def recognizer(registry: Registry, model: str, options: Mapping[str, object]) -> Recognizer:
    """The *model*, with *options* beside its own."""
    manifest = registry.manifest(model)
    manifest = manifest.model_copy(update={"options": {**manifest.options, **options}})
    return cast("Recognizer", build_engine(manifest, registry.pull(manifest), 1))


async def measured(sentences: Sequence[Said], registry: Registry) -> list[Heard]:
    """All of them, with the models of the default profile."""
    profile = registry.profile("cpu-tiny")
    assert profile.transcription is not None
    live = recognizer(registry, profile.engines["stt"].model, {})
    after = recognizer(registry, profile.transcription.model, profile.transcription.options)
    return [await hear(one, live, after) for one in sentences]


def main() -> None:
    """Print it."""
    console, registry = Console(), Registry()
    voice = piper(registry, "piper-joe")
    heard = asyncio.run(measured([say(one, voice) for one in english()], registry))
    left = [one for one in heard if one.audible > _AUDIBLE]
    total = sum(end - start for one in heard for start, end in one.said.personal)
    console.print(
        f"{len(heard)} sentences; in {len(left)} something personal is left, {len(heard) - len(left)} are clean"
    )
    console.print(f"of {total:.0f} s that are personal {sum(one.audible for one in heard):.1f} s are left")
    harmless, lost = (sum(getattr(one, name) for one in heard) for name in ("harmless", "lost"))
    console.print(f"of {harmless:.0f} s that are not {lost:.0f} s are silent")
    console.print(f"{sum(one.whole for one in heard)} sentences are silent as a whole")
    for one in left:
        shown = f"{one.audible:.2f} s left: {one.said.sentence.text}  ->  {one.text}"
        console.print(shown, markup=False, highlight=False)


if __name__ == "__main__":
    main()
