"""Speech that was synthesised before, kept on disk: fixed phrases are rendered once, not at every start."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from inference.manifest import Manifest
from orchestrator.core.audio import AudioFrame, joined
from orchestrator.core.ports import TextToSpeech
from orchestrator.core.streams import closing
from orchestrator.core.wav import read_wav, write_wav


class SpeechCache:
    """A TextToSpeech that asks *tts* once for each sentence and voice of *manifest*'s model.

    For phrases that come back word for word: every sentence it is given stays in *folder*, as a 16-bit mono WAV, and
    where its words end beside it, as JSON.
    """

    def __init__(self, tts: TextToSpeech, manifest: Manifest, folder: Path) -> None:
        self._tts = tts
        self._folder = folder
        self._model = f"{manifest.fingerprint} {manifest.engine} {json.dumps(manifest.options, sort_keys=True)}"

    async def synthesize(self, sentence: str, *, voice: str = "") -> AsyncIterator[AudioFrame]:
        """The speech of *sentence*, in one piece when it is kept. Raises EngineError; a full disk is no error."""
        path = self._path(sentence, voice)
        kept = await asyncio.to_thread(_read, path)
        if kept is not None:
            yield kept
            return
        frames: list[AudioFrame] = []
        async with closing(self._tts.synthesize(sentence, voice=voice)) as speech:
            async for frame in speech:
                frames.append(frame)
                yield frame
        if frames:
            await asyncio.to_thread(_write, path, joined(frames))

    def _path(self, sentence: str, voice: str) -> Path:
        identity = json.dumps([self._model, voice, sentence, "word ends"])
        return self._folder / f"{hashlib.sha256(identity.encode()).hexdigest()}.wav"


def _read(path: Path) -> AudioFrame | None:
    """What was kept in *path*; None when there is no whole WAV."""
    if (speech := read_wav(path)) is None:
        return None
    with suppress(OSError, ValueError, TypeError):
        return replace(speech, word_ends=tuple(map(float, json.loads(_beside(path).read_text()))))
    return speech


def _write(path: Path, speech: AudioFrame) -> None:
    with suppress(OSError):  # a full disk: the phrase is made again next time
        write_wav(path, speech)
        if speech.word_ends:
            _beside(path).write_text(json.dumps(speech.word_ends))


def _beside(path: Path) -> Path:
    return path.with_suffix(".json")
