"""Callers who asked to be forgotten are."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID

from orchestrator.access.keys import kept_key
from orchestrator.access.seal import Seal
from orchestrator.compliance.erasure import CannotErase, Erasure, Means, NotYet
from orchestrator.compliance.places import KeptAnswers, LogFiles, RecordedSound, SpooledRecords
from orchestrator.compliance.receipts import ReceiptKey
from orchestrator.compliance.retention import Recordings
from orchestrator.core.errors import RecordingUnavailable
from orchestrator.jobs.kinds import Done, JobFailed, JobKind, Retries
from orchestrator.settings import Settings
from orchestrator.store.db import Database
from orchestrator.store.erasures_repository import ERASURE, ErasuresRepository
from orchestrator.store.idempotency_repository import IdempotencyRepository
from orchestrator.store.jobs import Job

# A call lasts an hour at most; whoever asked to be forgotten is not given up for an object store that is away.
_RETRIES = Retries(attempts=10_000, first=5.0, longest=900.0)
_AGAIN = timedelta(seconds=10)
_LIMIT = 1800.0


def erasure_means(settings: Settings, database: Database, recordings: Recordings) -> Means:
    """What erasing needs, from the settings. Raises ConfigError for a key that cannot be used."""
    tokens = kept_key(settings.data / "keys" / "tokens.key").encode()
    places = (
        RecordedSound(recordings),
        SpooledRecords(settings.data / "spool"),
        LogFiles(settings.all_log_files),
        KeptAnswers(IdempotencyRepository(database), Seal(tokens, "idempotency")),
    )
    return Means(
        repository=ErasuresRepository(database),
        places=places,
        seal=Seal(tokens, ERASURE),
        key=ReceiptKey(kept_key(settings.data / "keys" / "receipts.key")),
        now=time.time,
        longest_call=settings.over_after,
    )


def erasure(means: Means) -> JobKind:
    """Carries out the erasure that the payload names."""
    erasing = Erasure(means)

    async def run(job: Job) -> Done:
        try:
            done = await erasing.carry_out(job.account_id, UUID(str(job.payload.get("erasure"))))
        except ValueError as error:
            raise JobFailed("bad_payload", again=False) from error
        except NotYet as error:
            raise JobFailed(f"waits_for_{error.obstacle}", after=_AGAIN) from error
        except CannotErase as error:
            raise JobFailed("no_key") from error
        except RecordingUnavailable as error:
            raise JobFailed("objects_unavailable") from error
        except OSError as error:
            raise JobFailed("files_unavailable") from error
        return Done(result={"calls": 0 if done is None else len(done.calls)})

    return JobKind(ERASURE, run, retries=_RETRIES, limit=_LIMIT)
