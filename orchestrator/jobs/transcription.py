"""What the caller said, from the recording: by a larger search than a call has time for, beside what was heard then."""

from __future__ import annotations

import asyncio
from functools import partial

from orchestrator.core.audio import AudioFrame
from orchestrator.core.ports import Recognizer
from orchestrator.core.privacy import Masking
from orchestrator.jobs.kinds import Done, JobFailed, JobKind, Lane
from orchestrator.jobs.recorded import LIMIT, RETRIES, Library, RecognizerReach, call_of, recording_failures, sound
from orchestrator.privacy.masks import CallMask, masks_as_much
from orchestrator.recordings.passages import Extent, pieces
from orchestrator.recordings.playback import Channel, Playback
from orchestrator.store.call_analysis import HeardCall, SpokenCalls, TimedLine, keep_transcription
from orchestrator.store.jobs import TRANSCRIPTION, Job

_NOTHING = {"lines": 0, "withheld": 0, "seconds": 0.0}


def transcription(calls: SpokenCalls, library: Library, recognizers: RecognizerReach) -> JobKind:
    """Transcribes the caller's lines anew; nothing when there is no recording (any more), or nothing was said."""

    async def run(job: Job) -> Done:
        call = call_of(job)
        heard = await calls.heard(job.account_id, call)
        recording = await library.find(job.account_id, call)
        if heard is None or not heard.lines or recording is None or not recognizers.wanted:
            return Done(result=_NOTHING)
        try:
            with recording_failures():
                playback = await library.open(job.account_id, call)
                extent = Extent(recording.start_at, playback.rate, playback.frames)
                passages = extent.passages([(line.start, line.end) for line in heard.lines])
                if not any(passages):
                    return Done(result=_NOTHING)
                async with recognizers.opened() as recognizer:
                    said = [await _said(recognizer, playback, passage, heard.language) for passage in passages]
        except JobFailed:
            if await library.find(job.account_id, call) is None:  # erased meanwhile
                return Done(result=_NOTHING)
            raise
        kept = _kept(heard, said)
        result = {
            "lines": sum(text is not None for _, text in kept),
            "withheld": sum(text is None and bool(anew) for (_, text), anew in zip(kept, said, strict=True)),
            "seconds": round(sum(last - first for first, last in filter(None, passages)) / playback.rate, 1),
        }
        return Done(partial(keep_transcription, call=call, texts=kept), result)

    return JobKind(TRANSCRIPTION, run, Lane.RECORDINGS, retries=RETRIES, limit=LIMIT)


async def _said(
    recognizer: Recognizer, playback: Playback, passage: tuple[int, int] | None, language: str | None
) -> str:
    """The words of the caller in *passage*."""
    if passage is None:
        return ""
    pcm = await asyncio.to_thread(sound, playback, *passage, Channel.CALLER)
    code = None if language is None else language.split("-")[0]
    texts = [
        (await recognizer.recognize(AudioFrame(piece, playback.rate), language=code)).text.strip()
        for piece in pieces(pcm, playback.rate)
    ]
    return " ".join(filter(None, texts))


def _kept(heard: HeardCall, said: list[str]) -> list[tuple[TimedLine, str | None]]:
    """What may be kept of what was *said* in each line: masked, and not where it would tell what was masked before."""
    mask = CallMask(heard.masking)
    kept: list[tuple[TimedLine, str | None]] = []
    for line, text in zip(heard.lines, map(mask, said), strict=True):
        as_strict = heard.masking is Masking.NONE or masks_as_much(line.text, text)
        kept.append((line, text if text and as_strict else None))
    return kept
