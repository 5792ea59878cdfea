"""What a call was about, in a sentence or two of the language model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Protocol

from orchestrator.core.ports import LanguageModel, Message, TextDelta
from orchestrator.core.streams import closing
from orchestrator.dialogue.sentences import SentenceCutter, ends_sentence
from orchestrator.jobs.kinds import Done, JobFailed, JobKind, Lane
from orchestrator.store.call_analysis import Line, SpokenCalls, keep_summary
from orchestrator.store.jobs import SUMMARY, Job

# Characters. The prompt must not push the prompts of live calls out of the model's memory, and costs as much as its
# length; of a longer call, how it began and how it ended say most.
_BEGINNING = 800
_END = 1600
_LONGEST = 600

_MOST_TOKENS = 120
_SENTENCES = 2

_TASK = Message(
    "system",
    "You read the transcript of a phone call between a caller and an agent. In at most two short sentences, say what "
    "the caller wanted and what came of it. Use only what was said, and the language that was spoken.",
)


class LanguageModelReach(Protocol):
    """The way to a language model that runs elsewhere."""

    async def llm(self) -> LanguageModel:
        """It. Raises EngineUnavailable while it is not there."""
        ...


def summary(calls: SpokenCalls, engines: LanguageModelReach) -> JobKind:
    """Sums up what was said; a call in which the caller said nothing has no summary."""

    async def run(job: Job) -> Done:
        if job.call_id is None:
            raise JobFailed("bad_payload", again=False)
        lines = await calls.lines(job.account_id, job.call_id)
        text = await _written(await engines.llm(), lines) if any(line.speaker == "caller" for line in lines) else None
        return Done(partial(keep_summary, call=job.call_id, summary=text), {"characters": len(text or "")})

    return JobKind(SUMMARY, run, Lane.ENGINES, limit=180.0)


def prompt(lines: Sequence[Line]) -> list[Message]:
    """What the model is asked; of a long call, its beginning and its end."""
    said = "\n".join(f"{line.speaker}: {line.text}" for line in lines)
    if len(said) > _BEGINNING + _END:
        said = f"{said[:_BEGINNING].rsplit(' ', 1)[0]} …\n… {said[-_END:].split(' ', 1)[-1]}"
    return [_TASK, Message("user", f"{said}\n\nSummary:")]


async def _written(llm: LanguageModel, lines: Sequence[Line]) -> str:
    """The first sentences of the reply. Small models go on and say them again: the rest is not waited for."""
    cutter = SentenceCutter()
    pieces: list[str] = []
    async with closing(llm.complete(prompt(lines), max_tokens=_MOST_TOKENS)) as reply:
        async for delta in reply:
            if isinstance(delta, TextDelta):
                pieces += cutter.feed(delta.text)
            if sum(map(ends_sentence, pieces)) >= _SENTENCES:
                break
        else:
            pieces += cutter.flush()
    if not (summed := shortened(" ".join(pieces))):
        raise JobFailed("bad_output")
    return summed


def shortened(text: str) -> str:
    """*text*, not too long; without a last sentence that was cut off, unless that is all there is."""
    whole = re.match(r".*[.!?…]", text[:_LONGEST])
    return whole[0] if whole else text[:_LONGEST]
