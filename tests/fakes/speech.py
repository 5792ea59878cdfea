"""Speech that a fake recogniser can read: every word is a square wave whose level is its place in a lexicon."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from orchestrator.core.audio import AudioFrame, Pcm, joined
from orchestrator.core.ports import Word

RATE = 16_000
_LOWEST = 2_000  # -24 dBFS: loud enough for any level-based voice detector
_STEP = 8


@dataclass(slots=True)
class Lexicon:
    """Turns words into sound and back. The speaker and the recogniser of a test share one."""

    word_duration: float = 0.3
    gap: float = 0.02
    _words: list[str] = field(default_factory=list)

    def speak(self, text: str, *, at: float = 0.0, rate: int = RATE) -> AudioFrame:
        """The words of *text*, each word_duration long with a gap of silence at its end; at least one word."""
        return joined([AudioFrame(self._wave(word, rate), rate, at) for word in text.split() or [""]])

    def word_ends(self, text: str) -> list[float]:
        """When the sound of each word of *text* ends, in seconds from the beginning of its speech."""
        return [number * self.word_duration - self.gap for number in range(1, len(text.split()) + 1)]

    def hear(self, window: AudioFrame) -> str:
        """The words whose sound is in *window*, cut ones included; an empty text for silence."""
        levels = np.abs(window.pcm.astype(np.int32))
        sounding = np.concatenate([[0], (levels >= _LOWEST).astype(np.int8), [0]])
        edges = np.flatnonzero(np.diff(sounding))
        starts = edges[::2]
        return " ".join(self._words[(int(levels[start]) - _LOWEST) // _STEP] for start in starts)

    def time(self, window: AudioFrame) -> list[Word]:
        """The same words, each with its times."""
        sounding = np.concatenate([[0], (np.abs(window.pcm.astype(np.int32)) >= _LOWEST).astype(np.int8), [0]])
        edges = window.at + np.flatnonzero(np.diff(sounding)) / window.rate
        heard = self.hear(window).split()
        return [Word(word, *map(float, times)) for word, times in zip(heard, edges.reshape(-1, 2), strict=True)]

    def _wave(self, word: str, rate: int) -> Pcm:
        if word not in self._words:
            self._words.append(word)
        level = _LOWEST + _STEP * self._words.index(word)
        pcm = np.zeros(round(self.word_duration * rate), dtype=np.int16)
        voiced = len(pcm) - round(self.gap * rate)
        pcm[:voiced] = np.where(np.arange(voiced) // 16 % 2 == 0, level, -level)
        return pcm
