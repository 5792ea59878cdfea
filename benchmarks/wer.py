"""Word error rate of the profile's recogniser on human recordings, as a G.711 line carries them."""

from __future__ import annotations

import asyncio
import random
import re
from collections import defaultdict
from typing import cast

import jiwer
import numpy as np

from benchmarks.conversation import RATE
from benchmarks.human_speech import Recorded, recordings
from benchmarks.sound_files import narrowband, read_wav
from inference.registry import Registry, build_engine
from orchestrator.core.audio import AudioFrame, Pcm
from orchestrator.core.ports import Recognizer

PROMPTS = 30
_MU = 255.0
# fmt: off
_UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
# fmt: on
_SPELLINGS = {"mister": "mr", "okay": "ok", "im": "i am", "thats": "that is", "youre": "you are"}


def word_error_rates(registry: Registry, profile: str) -> dict[str, object]:
    """`wer` over all recordings, and `wer_by_set`. Raises ConfigError when recordings or weights are missing."""
    chosen = chosen_recordings(recordings())
    heard = asyncio.run(_recognized(recogniser(registry, profile), chosen))
    pairs: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for recorded, text in zip(chosen, heard, strict=True):
        pairs[recorded.name.partition("/")[0]].append((normalized(recorded.text), normalized(text)))
    return {
        "wer": _rate([pair for group in pairs.values() for pair in group]),
        "wer_by_set": {name: {"n": len(group), "wer": _rate(group)} for name, group in pairs.items()},
    }


def recogniser(registry: Registry, profile: str) -> Recognizer:
    """The one of *profile*, in this process. Raises ConfigError when its weights are missing."""
    choice = registry.profile(profile).engines["stt"]
    manifest = registry.manifest(choice.model)
    return cast("Recognizer", build_engine(manifest, registry.files(manifest), choice.threads))


def normalized(text: str) -> str:
    """Lower case, no punctuation, numbers below a hundred in words: what differs afterwards was misheard."""
    plain = re.sub(r"\d+", lambda found: f" {_in_words(int(found[0]))} ", text.lower().replace("#", " pound "))
    words = re.sub(r"[^a-z ]", "", plain.replace("-", " ").replace("*", " star ")).split()
    return " ".join(_SPELLINGS.get(word, word) for word in words)


def telephone(pcm: Pcm) -> Pcm:
    """*pcm* (16 kHz) after a G.711 mu-law line: 8 kHz and eight bits a sample (ITU-T G.711's continuous law)."""
    level = narrowband(pcm).astype(np.float64) / 32768.0
    code = np.round(np.sign(level) * np.log1p(_MU * np.abs(level)) / np.log1p(_MU) * 127.0) / 127.0
    return np.asarray(np.round(np.sign(code) * np.expm1(np.abs(code) * np.log1p(_MU)) / _MU * 32767.0), dtype=np.int16)


def chosen_recordings(available: dict[str, Recorded]) -> list[Recorded]:
    """Every sentence and card, and the same thirty prompts of six words or more each time.

    The recordings of the held-out calls are not among them.
    """
    prompts = [one for one in available.values() if one.name.startswith("prompt/") and len(one.text.split()) >= 6]
    picked = random.Random(1).sample(sorted(prompts, key=lambda one: one.name), PROMPTS)
    return [one for one in available.values() if one.name.startswith(("cards/", "book/"))] + picked


async def _recognized(recognizer: Recognizer, chosen: list[Recorded]) -> list[str]:
    return [
        (await recognizer.recognize(AudioFrame(telephone(read_wav(one.path)), RATE), language="en")).text
        for one in chosen
    ]


def _rate(pairs: list[tuple[str, str]]) -> float:
    return round(float(jiwer.wer([said for said, _ in pairs], [heard for _, heard in pairs])), 4)


def _in_words(number: int) -> str:
    if number < 20:
        return _UNITS[number]
    if number < 100:
        tens, unit = divmod(number, 10)
        return f"{_TENS[tens - 2]} {_UNITS[unit]}" if unit else _TENS[tens - 2]
    return " ".join(_UNITS[int(digit)] for digit in str(number))
