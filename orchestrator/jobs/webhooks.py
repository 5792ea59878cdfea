"""Messages to webhooks, sent until they are taken."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Final
from uuid import UUID

from orchestrator.access.seal import Seal
from orchestrator.jobs.kinds import Done, JobFailed, JobKind, Lane, Retries
from orchestrator.store.jobs import Job
from orchestrator.store.webhook_events import WEBHOOK
from orchestrator.store.webhooks_repository import Posted, Try, WebhooksRepository
from orchestrator.webhooks.sender import Sender
from orchestrator.webhooks.signing import signed

# From ten seconds to six hours apart: 17 hours in all, and one that comes too late is no news.
_RETRIES: Final = Retries(attempts=14, first=10.0, longest=6 * 3600.0)
_PATIENCE: Final = timedelta(days=5)
_KEPT: Final = timedelta(days=30)


def webhook(
    repository: WebhooksRepository, seal: Seal, sender: Sender, now: Callable[[], float] = time.time
) -> JobKind:
    """Sends the delivery that the payload names."""

    async def run(job: Job) -> Done:
        try:
            posted = await repository.posted(job.account_id, UUID(str(job.payload.get("delivery"))))
        except ValueError as error:
            raise JobFailed("bad_payload", again=False) from error
        if posted is None:  # it was taken, removed or disabled meanwhile
            return Done(result={"sent": False})
        body = message(posted)
        headers = {"Content-Type": "application/json", "User-Agent": "Offhook"}
        headers |= signed(str(posted.delivery.id), int(now()), body, _opened(seal, posted))
        outcome = await sender.send(posted.url, headers, body)
        last = outcome.error == "gone" or job.attempts >= _RETRIES.attempts
        attempt = Try(outcome.status, outcome.error, round(outcome.seconds, 3), last)
        await repository.note(job.account_id, posted, attempt, _PATIENCE)
        if outcome.error is not None:
            raise JobFailed(outcome.error, again=not last, after=_rest(outcome.after, job.attempts))
        return Done(result={"status": outcome.status})

    return JobKind(WEBHOOK, run, Lane.MESSAGES, retries=_RETRIES, limit=30.0)


def _rest(asked: timedelta | None, attempts: int) -> timedelta | None:
    """As long as the receiver *asked* for, but no shorter than ours: the tries are to last for most of a day."""
    return None if asked is None else max(asked, _RETRIES.wait(attempts))


def message(posted: Posted) -> bytes:
    """What is sent: JSON, the same at every try."""
    delivery = posted.delivery
    told = {"type": delivery.type, "timestamp": delivery.happened_at.astimezone(UTC).isoformat(), "data": delivery.data}
    return json.dumps(told, separators=(",", ":"), default=str).encode()


def _opened(seal: Seal, posted: Posted) -> list[str]:
    """Raises JobFailed when the installation's key is another than it was sealed with."""
    place = posted.delivery.webhook_id.bytes
    opened = [secret.decode() for one in posted.secrets if (secret := seal.open(one, place)) is not None]
    if not opened:
        raise JobFailed("secret_lost", again=False)
    return opened


def forgetting(repository: WebhooksRepository) -> JobKind:
    """Forgets what was delivered, or given up, long ago."""

    async def run(job: Job) -> Done:
        await repository.forget(job.account_id, _KEPT)
        return Done()

    return JobKind("webhook_log", run, cron="47 3 * * *")
