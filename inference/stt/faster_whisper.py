"""Whisper on CTranslate2, made for short utterances.

Whisper encodes 30 s however little was said. CTranslate2 takes any shorter spectrogram, so an utterance is encoded with
little silence behind it; decoding.py tells when that confused the decoder, and then more is encoded, at last the 30 s.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from inference.log_mel import HOP, RATE, Samples, log_mel
from inference.manifest import Manifest
from inference.stt.decoding import Hypothesis, is_monotonous, token_limit, without_begun_round
from orchestrator.core.audio import AudioFrame
from orchestrator.core.errors import BadOutput
from orchestrator.core.ports import Reading, Transcript, Word

if TYPE_CHECKING:
    import ctranslate2
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer

FULL_CONTEXT: Final = 3000  # frames
# One or two words with 2 s of silence loop in three cases out of four, in 10 s of context in one of ten.
BRIEF: Final = 150  # frames
BRIEF_CONTEXT: Final = 1000
# A prompt makes the decoder begin a second round more often: 18 % WER with 2 s behind short sentences, 10 % without.
PROMPTED_TAIL: Final = 1000
WIDENING: Final = 500
LONGEST: Final = 30.0  # seconds, the model's window
VAD_WINDOW: Final = 512  # samples at 16 kHz
MAX_TOKENS: Final = 448  # the decoder's positions
NOTHING: Final = Transcript("")
READINGS: Final = 8  # of a short sound; more are all but the same words
NOBODY: Final = (Reading("", 1.0),)

T = TypeVar("T")


class Options(BaseModel):
    """What a manifest may set.

    device: cpu, cuda or auto; compute_type: CTranslate2's quantisation; short_context: encode the utterance and
    `tail` seconds more instead of 30 s; prompt: put before each call's own, for names and terms; language: taken when
    the call gives none, else a multilingual model detects it among the manifest's; speech: VAD probability that some
    window must reach.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: str = "auto"
    compute_type: str = "default"
    beam_size: int = Field(default=1, ge=1)
    short_context: bool = True
    tail: float = Field(default=2.0, ge=0.0, le=LONGEST)
    prompt: str = ""
    language: str | None = None
    speech: float = Field(default=0.3, ge=0.0, le=1.0)


@dataclass(frozen=True, slots=True)
class Request:
    """One window to recognise. abandoned: set when nobody waits for the answer any more."""

    window: AudioFrame
    prompt: str
    language: str | None
    abandoned: Event = field(default_factory=Event)


class FasterWhisper:
    """A recogniser in one thread of its own: requests wait for each other, not the event loop for them."""

    def __init__(self, name: str, folder: Path, languages: Sequence[str], options: Options, threads: int) -> None:
        from faster_whisper import WhisperModel  # noqa: PLC0415 - heavy
        from faster_whisper.vad import get_vad_model  # noqa: PLC0415 - heavy

        self.name = name
        self._options = options
        self._languages = tuple(languages)
        self._model: WhisperModel = WhisperModel(
            str(folder), device=options.device, compute_type=options.compute_type, cpu_threads=threads
        )
        self._bands = self._model.feature_extractor.mel_filters.shape[0]
        self._vad = get_vad_model()
        self._tokenizers: dict[str, Tokenizer] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="whisper")

    async def recognize(self, window: AudioFrame, *, prompt: str = "", language: str | None = None) -> Transcript:
        """The words in *window*, of any rate and up to 30 s; silence, noise and tones give an empty text.

        prompt: text that may have come before, for spelling and style; language: a code that the model knows.
        Cancelling it stops the work at the next of its steps. Raises ValueError for a longer window or an unknown
        language, and BadOutput when CTranslate2 fails.
        """
        return await self._in_thread(self._transcribe, Request(window, prompt, language))

    async def readings(self, sound: AudioFrame, *, language: str | None = None) -> tuple[Reading, ...]:
        """How *sound* (any rate, up to 30 s) may be read, by beam search: up to eight texts, the likeliest first.

        The last is the empty text: that nobody spoke. On cpu-tiny it takes 0.17 s. Raises as recognize() does.
        """
        return await self._in_thread(self._read, Request(sound, "", language))

    async def timed(self, window: AudioFrame, *, language: str | None = None) -> Transcript:
        """The words in *window* (any rate, up to 30 s), each with its times, from the whole context of the model.

        On cpu-tiny it takes a third of the time that *window* lasts, and the times are right to 0.3 s. Raises as
        recognize() does.
        """
        return await self._in_thread(self._time, Request(window, "", language))

    async def warm(self) -> None:
        """Recognise a second of nothing, past all gates, so that the first caller does not wait for memory."""
        silence = np.zeros(RATE, dtype=np.float32)
        await asyncio.get_running_loop().run_in_executor(
            self._thread, self._decode, silence, Request(AudioFrame(np.zeros(0, np.int16), RATE), "", None)
        )

    async def close(self) -> None:
        """End the thread, after the step it is at."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, work: Callable[[Request], T], request: Request) -> T:
        duration, language = request.window.duration, request.language
        if duration > LONGEST:
            raise ValueError(f"window is {duration:.1f} s long; {LONGEST:.0f} s are accepted")
        if language is not None and language not in self._model.supported_languages:
            raise ValueError(f"{self.name} does not know the language {language!r}")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, request)
        except RuntimeError as error:
            raise BadOutput(self.name, str(error)) from error
        finally:
            request.abandoned.set()

    def _transcribe(self, request: Request) -> Transcript:
        speech = self._resampled(request.window)
        if request.abandoned.is_set() or not self._holds_speech(speech):
            return NOTHING
        return self._decode(speech, request)

    def _read(self, request: Request) -> tuple[Reading, ...]:
        speech = self._resampled(request.window)
        if request.abandoned.is_set() or not self._holds_speech(speech):
            return NOBODY
        features = log_mel(speech, self._bands)
        encoded = self._encoded(features, next(self._contexts(features.shape[1], prompted=False)))
        language = request.language or self._options.language or self._detected_language(encoded)
        tokenizer = self._tokenizer(language)
        (result,) = self._model.model.generate(
            encoded,
            [[*tokenizer.sot_sequence, tokenizer.no_timestamps]],
            beam_size=READINGS,
            num_hypotheses=READINGS,
            max_length=min(MAX_TOKENS, 2 * token_limit(len(speech) / RATE)),  # CTranslate2 stops at half of it
            length_penalty=0.0,  # the score is the log-likelihood
            return_scores=True,
            return_no_speech_prob=True,
        )
        likelihoods = np.exp(np.array(result.scores) - max(result.scores))
        shares = likelihoods / likelihoods.sum() * (1.0 - result.no_speech_prob)
        texts = (tokenizer.decode(tokens).strip() for tokens in result.sequences_ids)
        read = tuple(Reading(text, float(share)) for text, share in zip(texts, shares, strict=True))
        return *read, Reading("", result.no_speech_prob)

    def _time(self, request: Request) -> Transcript:
        speech = self._resampled(request.window)
        if request.abandoned.is_set() or not self._holds_speech(speech):
            return NOTHING
        segments, told = self._model.transcribe(
            speech,
            language=request.language or self._options.language,
            beam_size=self._options.beam_size,
            initial_prompt=self._options.prompt or None,
            condition_on_previous_text=False,  # or an error goes on to the end
            word_timestamps=True,
        )
        wanted = takewhile(
            lambda _: not request.abandoned.is_set(), segments
        )  # each is worked for when it is asked for
        words = [word for segment in wanted for word in segment.words or ()]
        at = request.window.at
        return Transcript(
            "".join(word.word for word in words).strip(),
            language=told.language,
            words=tuple(Word(word.word.strip(), at + word.start, at + word.end) for word in words),
        )

    def _resampled(self, window: AudioFrame) -> Samples:
        if window.rate == RATE:
            return window.as_float()
        import soxr  # noqa: PLC0415 - only calls at another rate need it

        resampled: Samples = soxr.resample(window.as_float(), window.rate, RATE)
        return resampled

    def _holds_speech(self, speech: Samples) -> bool:
        """Whether the voice activity detector hears anybody, which Whisper itself is bad at telling."""
        if len(speech) == 0:
            return False
        probabilities = self._vad(np.pad(speech, (0, -len(speech) % VAD_WINDOW)))
        return bool(np.max(probabilities) >= self._options.speech)

    def _decode(self, speech: Samples, request: Request) -> Transcript:
        """The transcript of *speech*, from the shortest context that gives a sound one."""
        features = log_mel(speech, self._bands)
        language = request.language or self._options.language
        hypothesis: Hypothesis | None = None
        for frames in self._contexts(features.shape[1], prompted=bool(request.prompt or self._options.prompt)):
            if request.abandoned.is_set():
                return NOTHING
            encoded = self._encoded(features, frames)
            language = language or self._detected_language(encoded)
            prompt = self._prompt_tokens(request.prompt, language) if hypothesis is None else []
            hypothesis = self._generated(encoded, prompt, language, len(speech) / RATE)
            if hypothesis.is_noise:
                return NOTHING
            if hypothesis.is_sound:
                break
            if (shortened := hypothesis.without_loop()) is not None:
                hypothesis = shortened
                break
        return self._transcript(hypothesis, language) if hypothesis is not None and language else NOTHING

    def _contexts(self, frames: int, prompted: bool) -> Iterator[int]:
        """How many frames to encode for an utterance of *frames*, from the cheapest to the full context."""
        if self._options.short_context:
            tail = PROMPTED_TAIL if prompted else round(self._options.tail * RATE / HOP)
            short = max(frames + tail, BRIEF_CONTEXT if frames < BRIEF else 0)
            yield from range(short, FULL_CONTEXT, WIDENING)[:2]
        yield FULL_CONTEXT

    def _encoded(self, features: Samples, frames: int) -> ctranslate2.StorageView:
        import ctranslate2  # noqa: PLC0415 - heavy

        # The minimum is what silence gives: the spectrogram is clamped to 80 dB below its loudest bin.
        silence = features.min() if features.size else 0.0
        spectrogram = np.full((1, features.shape[0], frames), silence, dtype=np.float32)
        spectrogram[0, :, : features.shape[1]] = features
        return self._model.model.encode(ctranslate2.StorageView.from_array(spectrogram))

    def _generated(
        self, encoded: ctranslate2.StorageView, prompt: list[int], language: str, duration: float
    ) -> Hypothesis:
        tokenizer = self._tokenizer(language)
        start = [*prompt, *tokenizer.sot_sequence, tokenizer.no_timestamps]
        limit = min(token_limit(duration), MAX_TOKENS - len(start))
        (result,) = self._model.model.generate(
            encoded,
            [start],
            beam_size=self._options.beam_size,
            # CTranslate2 stops at half of this, or at what the prompt leaves of it.
            max_length=min(MAX_TOKENS, max(2 * limit, len(start) + limit)),
            return_scores=True,
            return_no_speech_prob=True,
        )
        tokens = tuple(result.sequences_ids[0])
        # The score is the sum over the tokens divided by their number; the end token takes part in the sum.
        logprob = result.scores[0] * len(tokens) / (len(tokens) + 1)
        return Hypothesis(tokens, logprob, result.no_speech_prob, cut=len(tokens) >= limit)

    def _prompt_tokens(self, prompt: str, language: str) -> list[int]:
        text = f"{self._options.prompt} {prompt}".strip()
        if not text:
            return []
        tokenizer = self._tokenizer(language)
        return [tokenizer.sot_prev, *tokenizer.encode(f" {text}")[-(MAX_TOKENS // 2 - 1) :]]

    def _tokenizer(self, language: str) -> Tokenizer:
        if language not in self._tokenizers:
            from faster_whisper.tokenizer import Tokenizer  # noqa: PLC0415 - heavy

            multilingual = self._model.model.is_multilingual
            self._tokenizers[language] = Tokenizer(self._model.hf_tokenizer, multilingual, "transcribe", language)
        return self._tokenizers[language]

    def _detected_language(self, encoded: ctranslate2.StorageView) -> str:
        """The likeliest of the manifest's languages, or of all that the model knows when it names none of them."""
        if not self._model.model.is_multilingual:
            return "en"
        (ranked,) = self._model.model.detect_language(encoded)
        codes = [str(token).strip("<|>") for token, _ in ranked]
        return next((code for code in codes if code in self._languages), codes[0])

    def _transcript(self, hypothesis: Hypothesis, language: str) -> Transcript:
        text = self._tokenizer(language).decode(list(hypothesis.tokens)).strip()
        if is_monotonous(text):
            return NOTHING
        return Transcript(without_begun_round(text), language=language, confidence=math.exp(hypothesis.logprob))


def load(manifest: Manifest, files: Path, threads: int) -> FasterWhisper:
    """The recogniser of *manifest*."""
    return FasterWhisper(manifest.name, files, manifest.languages, manifest.options_as(Options), threads)
