"""Every kind of job, and what they work with."""

from __future__ import annotations

from dataclasses import dataclass

from inference.reach import ReachedEngines
from inference.transcribing import RecordingRecognizer
from orchestrator.access.keys import kept_key
from orchestrator.access.seal import Seal
from orchestrator.core.networks import read_networks
from orchestrator.jobs.erasure import erasure, erasure_means
from orchestrator.jobs.kinds import JobKind
from orchestrator.jobs.recording_masking import MaskedRecordings, recording_masking
from orchestrator.jobs.retention import retention
from orchestrator.jobs.rollup import rollup
from orchestrator.jobs.sentiment import sentiment
from orchestrator.jobs.summary import summary
from orchestrator.jobs.transcription import transcription
from orchestrator.jobs.webhooks import forgetting, webhook
from orchestrator.recordings.archive import Archive
from orchestrator.settings import Settings
from orchestrator.store.call_analysis import SpokenCalls
from orchestrator.store.db import Database
from orchestrator.store.webhook_events import WEBHOOK
from orchestrator.store.webhooks_repository import WebhooksRepository
from orchestrator.webhooks.sender import Sender


@dataclass(frozen=True, slots=True)
class Means:
    """What kinds of jobs may use."""

    settings: Settings
    database: Database
    engines: ReachedEngines
    recognizer: RecordingRecognizer


def kinds(means: Means) -> tuple[JobKind, ...]:
    """All kinds. A new one is a module beside this one with a function that makes its JobKind, and a line here.

    Raises ConfigError for a key that cannot be used.
    """
    spoken = SpokenCalls(means.database)
    webhooks = WebhooksRepository(means.database)
    seal = Seal(kept_key(means.settings.data / "keys" / "tokens.key").encode(), WEBHOOK)
    archive = Archive(means.settings, means.database)
    recordings = archive.erasure
    return (
        rollup(),
        summary(spoken, means.engines),
        sentiment(spoken, means.engines),
        transcription(spoken, archive.library, means.recognizer),
        recording_masking(
            spoken, archive.library, MaskedRecordings(archive.recordings, archive.editions), means.recognizer
        ),
        retention(means.database, recordings),
        erasure(erasure_means(means.settings, means.database, recordings)),
        webhook(webhooks, seal, Sender(read_networks(means.settings.webhook_networks))),
        forgetting(webhooks),
    )
