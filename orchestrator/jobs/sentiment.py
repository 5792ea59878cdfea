"""How a caller sounded: each turn by itself, and the call as their mean."""

from __future__ import annotations

from functools import partial
from statistics import fmean
from typing import Protocol

from orchestrator.core.ports import Sentiment
from orchestrator.jobs.kinds import Done, JobFailed, JobKind, Lane
from orchestrator.store.call_analysis import SpokenCalls, keep_sentiment
from orchestrator.store.jobs import SENTIMENT, Job


class SentimentReach(Protocol):
    """The way to a classifier that runs elsewhere."""

    async def sentiment(self) -> Sentiment:
        """It. Raises EngineUnavailable while it is not there."""
        ...


def sentiment(calls: SpokenCalls, engines: SentimentReach) -> JobKind:
    """Scores what the caller said, from -1 to 1."""

    async def run(job: Job) -> Done:
        if job.call_id is None:
            raise JobFailed("bad_payload", again=False)
        classifier = await engines.sentiment()
        said = await calls.caller_turns(job.account_id, job.call_id)
        scores = {index: (await classifier.score(text)).score for index, text in said.items()}
        overall = fmean(scores.values()) if scores else None
        return Done(partial(keep_sentiment, call=job.call_id, turns=scores, overall=overall), {"turns": len(scores)})

    return JobKind(SENTIMENT, run, Lane.ENGINES, limit=300.0)
