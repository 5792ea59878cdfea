"""What the caller said, from the recording: by a larger search than a call has time for, beside what was heard then."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Protocol
from uuid import UUID

import numpy as np

from orchestrator.core.audio import AudioFrame, Pcm
from orchestrator.core.errors import ApiError, ConfigError, RecordingDamaged, RecordingUnavailable
from orchestrator.core.ports import Recognizer
from orchestrator.core.privacy import Masking
from orchestrator.jobs.kinds import Done, JobFailed, JobKind, Lane, Retries
from orchestrator.privacy.masks import CallMask, masks_as_much
from orchestrator.recordings.passages import Extent, pieces
from orchestrator.recordings.playback import Channel, Playback
from orchestrator.store.call_analysis import CallerLine, HeardCall, SpokenCalls, keep_transcription
from orchestrator.store.jobs import TRANSCRIPTION, Job
from orchestrator.store.recordings_repository import StoredRecording

# An hour of a call by a large model, behind everything else.
_LIMIT = 6 * 3600.0
# Object stores are away for hours, and nobody waits.
_RETRIES = Retries(attempts=12, first=30.0)
_NOTHING = {"lines": 0, "withheld": 0, "seconds": 0.0}


class RecognizerReach(Protocol):
    """The way to a recogniser that no call waits for. wanted: whether recordings are to be transcribed."""

    @property
    def wanted(self) -> bool:
        """See above."""
        ...

    def opened(self) -> AbstractAsyncContextManager[Recognizer]:
        """It, for the block. Raises ConfigError when its model is not here, EngineError when it does not start."""
        ...


class Library(Protocol):
    """Where recordings are."""

    async def find(self, account: UUID, call_id: UUID) -> StoredRecording | None:
        """What is known of the recording of a call."""
        ...

    async def open(self, account: UUID, call_id: UUID) -> Playback:
        """It, to be read. Raises ApiError 404 or 409, RecordingUnavailable, RecordingDamaged."""
        ...


def transcription(calls: SpokenCalls, library: Library, recognizers: RecognizerReach) -> JobKind:
    """Transcribes the caller's lines anew; nothing when there is no recording (any more), or nothing was said."""

    async def run(job: Job) -> Done:
        if job.call_id is None:
            raise JobFailed("bad_payload", again=False)
        heard = await calls.heard(job.account_id, job.call_id)
        recording = await library.find(job.account_id, job.call_id)
        if heard is None or not heard.lines or recording is None or not recognizers.wanted:
            return Done(result=_NOTHING)
        try:
            playback = await library.open(job.account_id, job.call_id)
            passages = _passages(heard, Extent(recording.start_at, playback.rate, playback.frames))
            if not any(passages):
                return Done(result=_NOTHING)
            async with recognizers.opened() as recognizer:
                said = [await _said(recognizer, playback, passage, heard.language) for passage in passages]
        except ApiError as error:
            if error.code == "recording_not_found":  # erased meanwhile
                return Done(result=_NOTHING)
            raise JobFailed(error.code) from error
        except RecordingUnavailable as error:
            raise JobFailed("recording_unavailable") from error
        except RecordingDamaged as error:
            if await library.find(job.account_id, job.call_id) is None:
                return Done(result=_NOTHING)
            raise JobFailed("recording_damaged", again=False) from error
        except ConfigError as error:
            raise JobFailed("no_model", again=False) from error
        kept = _kept(heard, said)
        result = {
            "lines": sum(text is not None for _, text in kept),
            "withheld": sum(text is None and bool(anew) for (_, text), anew in zip(kept, said, strict=True)),
            "seconds": round(sum(last - first for first, last in filter(None, passages)) / playback.rate, 1),
        }
        return Done(partial(keep_transcription, call=job.call_id, texts=kept), result)

    return JobKind(TRANSCRIPTION, run, Lane.RECORDINGS, retries=_RETRIES, limit=_LIMIT)


def _passages(heard: HeardCall, extent: Extent) -> list[tuple[int, int] | None]:
    """The frames of each line; None for one that was said before the recording began or after it ended."""
    ends = [float("-inf"), *(line.end for line in heard.lines)]
    starts = [*(line.start for line in heard.lines[1:]), float("inf")]
    return [
        extent.passage(line.start, line.end, after, before)
        for line, after, before in zip(heard.lines, ends, starts, strict=False)
    ]


async def _said(
    recognizer: Recognizer, playback: Playback, passage: tuple[int, int] | None, language: str | None
) -> str:
    """The words of the caller in *passage*."""
    if passage is None:
        return ""
    pcm = await asyncio.to_thread(_caller, playback, *passage)
    code = None if language is None else language.split("-")[0]
    texts = [
        (await recognizer.recognize(AudioFrame(piece, playback.rate), language=code)).text.strip()
        for piece in pieces(pcm, playback.rate)
    ]
    return " ".join(filter(None, texts))


def _caller(playback: Playback, first: int, last: int) -> Pcm:
    return np.concatenate([frames[:, 0] for frames in playback.read(first, last, Channel.CALLER)])


def _kept(heard: HeardCall, said: list[str]) -> list[tuple[CallerLine, str | None]]:
    """What may be kept of what was *said* in each line: masked, and not where it would tell what was masked before."""
    mask = CallMask(heard.masking)
    kept: list[tuple[CallerLine, str | None]] = []
    for line, text in zip(heard.lines, map(mask, said), strict=True):
        as_strict = heard.masking is Masking.NONE or masks_as_much(line.text, text)
        kept.append((line, text if text and as_strict else None))
    return kept
