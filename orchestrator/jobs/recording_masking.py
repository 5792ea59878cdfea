"""Silences in a recording what is masked in the words of its call, and transcribes it on the way.

Only what stands in the transcript and is harmless there is left to be heard: what the call never took for speech, such
as the tone of a key or a word said during the agent's, nobody has read. Where something personal is in a line, the
times of its words tell; the whole line is silenced where they do not tell of as much as was masked in the call.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from orchestrator.core.audio import AudioFrame
from orchestrator.core.ports import Recognizer, Transcript
from orchestrator.jobs.kinds import Done, JobFailed, JobKind, Lane
from orchestrator.jobs.recorded import LIMIT, RETRIES, Library, RecognizerReach, call_of, recording_failures, sound
from orchestrator.privacy.masks import CallMask, is_masked, masks_as_much, without
from orchestrator.privacy.sounds import moments
from orchestrator.recordings.editions import Audible, Editions
from orchestrator.recordings.passages import Extent, pieces
from orchestrator.recordings.playback import Channel, Playback
from orchestrator.store.call_analysis import HeardCall, SpokenCalls, TimedLine, keep_transcription
from orchestrator.store.jobs import RECORDING_MASKING, Job
from orchestrator.store.recordings_repository import RecordingsRepository, StoredRecording

_NOTHING: Final = {"lines": 0, "withheld": 0, "silenced": 0}


@dataclass(frozen=True, slots=True)
class MaskedRecordings:
    """Where masked ones go."""

    recordings: RecordingsRepository
    editions: Editions


def recording_masking(
    calls: SpokenCalls, library: Library, masked: MaskedRecordings, recognizers: RecognizerReach
) -> JobKind:
    """Masks a recording; nothing when there is none (any more), or it is masked."""

    async def run(job: Job) -> Done:
        call, result = call_of(job), _NOTHING
        with recording_failures():
            heard = await calls.heard(job.account_id, call)
            found = await library.find(job.account_id, call)
            if heard is not None and found is not None and found.masked and not found.playable:
                result = await mask(job, heard, found)
                found = await library.find(job.account_id, call)
            async with masked.recordings.sweeping() as free:
                if not free:
                    raise JobFailed("backup_goes_on")
                await masked.editions.sweep(job.account_id, call, None if found is None else found.edition)
        return Done(result=result)

    async def mask(job: Job, heard: HeardCall, found: StoredRecording) -> dict[str, int]:
        playback = await library.unmasked(found)
        async with AsyncExitStack() as stack:
            recognizer = await stack.enter_async_context(recognizers.opened()) if recognizers.wanted else None
            listening = _Listening(heard, Extent(found.start_at, found.rate, playback.frames), playback, recognizer)
            sides = await listening.to_all()
        edition = await masked.editions.write(
            found, playback, {channel: Audible(side.kept, side.silenced) for channel, side in sides.items()}
        )
        said = sides[Channel.CALLER].said
        also = partial(keep_transcription, call=found.call_id, texts=said)
        if not await masked.recordings.play_instead(job.id, found, edition.id, edition.wrapped_key, also):
            return _NOTHING
        return {
            "lines": sum(text is not None for _, text in said),
            "withheld": sum(text is None for _, text in said),
            "silenced": sum(len(side.silenced) for side in sides.values()),
        }

    return JobKind(RECORDING_MASKING, run, Lane.RECORDINGS, retries=RETRIES, limit=LIMIT)


@dataclass(frozen=True, slots=True)
class _Side:
    """What is found of one side. kept, silenced: frames from first to last; said: what was recognised anew of lines, as
    it may be kept, None for what may not.
    """

    kept: list[tuple[int, int]] = field(default_factory=list)
    silenced: list[tuple[int, int]] = field(default_factory=list)
    said: list[tuple[TimedLine, str | None]] = field(default_factory=list)


class _Listening:
    """To a recording, for what of it may be heard. recognizer: None when there is none to ask."""

    def __init__(self, heard: HeardCall, extent: Extent, playback: Playback, recognizer: Recognizer | None) -> None:
        self._lines = {Channel.CALLER: heard.lines, Channel.AGENT: heard.replies}
        self._language = None if heard.language is None else heard.language.split("-")[0]
        self._extent = extent
        self._playback = playback
        self._recognizer = recognizer
        self._mask = CallMask(heard.masking)
        self._sides = {channel: _Side() for channel in self._lines}

    async def to_all(self) -> dict[Channel, _Side]:
        """Both sides, in the order in which they spoke: a name that was told is masked from then on."""
        found: list[tuple[TimedLine, Channel, tuple[int, int]]] = []
        for channel, lines in self._lines.items():
            passages = self._extent.passages([(line.start, line.end) for line in lines], in_part=True)
            found += [(line, channel, one) for line, one in zip(lines, passages, strict=True) if one is not None]
        for line, channel, passage in sorted(found, key=lambda one: one[0].start):
            await self._to(line, channel, passage)
        return self._sides

    async def _to(self, line: TimedLine, channel: Channel, passage: tuple[int, int]) -> None:
        side, personal = self._sides[channel], is_masked(line.text)
        # What the agent said is known to the letter, what the caller did is not.
        if self._recognizer is None or (channel is Channel.AGENT and not personal):
            (side.silenced if personal else side.kept).append(passage)
            return
        heard = await self._heard(self._recognizer, channel, passage)
        spans = self._mask.find(heard.text)
        text = without(heard.text, spans)
        if masks_as_much(line.text, text):
            rate = self._extent.rate
            side.kept.append(passage)
            side.silenced.extend((round(start * rate), round(end * rate)) for start, end in moments(heard, spans))
        else:
            side.silenced.append(passage)
            text = ""
        if channel is Channel.CALLER and self._extent.holds(line.start, line.end):
            side.said.append((line, text or None))

    async def _heard(self, recognizer: Recognizer, channel: Channel, passage: tuple[int, int]) -> Transcript:
        """What is said in *passage*, its words on the clock of the recording."""
        pcm = await asyncio.to_thread(sound, self._playback, *passage, channel)
        at, rate = passage[0], self._extent.rate
        parts: list[Transcript] = []
        for piece in pieces(pcm, rate):
            parts.append(await recognizer.timed(AudioFrame(piece, rate, at / rate), language=self._language))
            at += len(piece)
        words = tuple(word for part in parts for word in part.words)
        return Transcript(" ".join(part.text for part in parts if part.text), words=words)
