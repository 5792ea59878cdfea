"""What an account's policy keeps of callers' words: in the database, on the disk and in the live view."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from orchestrator.compliance.policies import MaskingPolicies
from orchestrator.core.errors import StoreUnavailable
from orchestrator.core.events import FIRST_ACCOUNT, CallEnded, EndReason, Happened, Record, Spoken, TurnFinished
from orchestrator.core.privacy import STRICTEST, Masking, MaskingPolicy
from orchestrator.core.turn import Turn
from orchestrator.privacy.recorder import MaskingRecorder
from orchestrator.store.calls_repository import CallsRepository
from orchestrator.store.live_feed import LiveFeed
from orchestrator.store.notifications import Notifications
from orchestrator.store.privacy_repository import PRIVACY_CHANNEL, PrivacyRepository
from orchestrator.telemetry.recorder import DatabaseRecorder, RecorderLimits
from orchestrator.telemetry.spool import Spool
from tests.fakes.records import started
from tests.fakes.stores import FakeStore
from tests.integration.api.conftest import OPERATOR, Control
from tests.integration.dump import dump, files

ADMIN = {"Authorization": f"Bearer {OPERATOR}"}
# None of them is part of a random id.
SECRETS = ("4111 1111", "card is 4111", "Zebedee", "zebedee", "+33 6 12")


def telling_call(call: UUID) -> list[Record]:
    """A caller who tells everything."""
    said = (
        "my name is Zebedee, my card is 4111 1111 1111 1111, call +33 6 12 34 56 78, zebedee dot q at example dot com"
    )
    return [
        started(call),
        Happened(call, 0, "partial", 1.0, {"stable": "my name is Zebedee, my card is 4111", "unstable": "11"}),
        Spoken(call, 1, "caller", said, 1.0, 9.0),
        TurnFinished(call, Turn(1, said, "Thank you, Zebedee.", "Thank you, Zebedee.")),
        CallEnded(call, EndReason.CALLER_HANGUP, 1_800_000_007.0, 7.0),
    ]


async def test_nothing_unmasked_reaches_the_database_or_the_live_view(control: Control, tmp_path: Path) -> None:
    answer = await control.client.put("/api/v1/privacy", json={"masking": "all"}, headers=ADMIN)
    assert (answer.status_code, answer.json()) == (200, {"masking": "all", "mask_recordings": False})
    assert (await control.client.get("/api/v1/privacy", headers=ADMIN)).json() == answer.json()
    policies = MaskingPolicies(PrivacyRepository(control.database))
    await policies.load()
    call = uuid4()
    async with DatabaseRecorder(CallsRepository(control.database), Spool(tmp_path)) as recorder:
        masking = MaskingRecorder(recorder, policies.of)
        for record in telling_call(call):
            masking.record(record)
        await recorder.drain()
    kept = await dump(control.database)
    assert str(call) in kept
    assert [secret for secret in SECRETS if secret in kept] == []
    changes = await LiveFeed(control.database).since(FIRST_ACCOUNT, 0, 100)
    assert len(changes) == 4
    assert [secret for secret in SECRETS if secret in str(changes)] == []
    assert await PrivacyRepository(control.database).masking_of(FIRST_ACCOUNT, call) is Masking.ALL
    found = await control.client.get("/api/v1/calls?q=Zebedee", headers=ADMIN)
    assert found.json()["items"] == []


async def test_nothing_unmasked_reaches_the_spool_while_the_database_is_away(tmp_path: Path) -> None:
    store = FakeStore()
    store.away = True
    async with DatabaseRecorder(store, Spool(tmp_path), RecorderLimits(close=0.1)) as recorder:
        masking = MaskingRecorder(recorder, lambda account: STRICTEST)
        for record in telling_call(uuid4()):
            masking.record(record)
        await recorder.flush()
    kept = files(tmp_path)
    assert "[card]" in kept
    assert [secret for secret in SECRETS if secret in kept] == []


async def test_every_process_hears_of_another_policy(control: Control) -> None:
    other = MaskingPolicies(PrivacyRepository(control.database))
    notifications = Notifications(control.database)
    notifications.subscribe(PRIVACY_CHANNEL, other.follower.heard)
    await other.load()
    assert other.of(FIRST_ACCOUNT) == MaskingPolicy()
    async with notifications.listening(), other.follower.running():
        await control.client.put("/api/v1/privacy", json={"masking": "numbers", "mask_recordings": True}, headers=ADMIN)
        async with control.database.connection() as connection:
            for _ in range(1000):
                if other.of(FIRST_ACCOUNT) != MaskingPolicy():
                    break
                await connection.fetchval("SELECT pg_sleep(0.01)")
    assert other.of(FIRST_ACCOUNT) == MaskingPolicy(Masking.NUMBERS, recordings=True)


async def test_before_the_policies_are_known_everything_is_masked(control: Control) -> None:
    assert MaskingPolicies(PrivacyRepository(control.database)).of(FIRST_ACCOUNT) == STRICTEST


async def test_while_the_database_is_away_the_policies_stay_as_they_were() -> None:
    class Away(PrivacyRepository):
        def __init__(self) -> None:
            self.there = True

        async def policies(self) -> dict[UUID, MaskingPolicy]:
            if not self.there:
                raise StoreUnavailable("nobody home")
            return {FIRST_ACCOUNT: MaskingPolicy(Masking.NUMBERS)}

    repository = Away()
    policies = MaskingPolicies(repository)
    await policies.load()
    repository.there = False
    with pytest.raises(StoreUnavailable):
        await policies.load()
    assert policies.of(FIRST_ACCOUNT) == MaskingPolicy(Masking.NUMBERS)


async def test_what_is_no_policy_is_refused(control: Control) -> None:
    answer = await control.client.put("/api/v1/privacy", json={"masking": "some"}, headers=ADMIN)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_whether_recordings_are_masked_stays_as_it_is_unless_somebody_says_so(control: Control) -> None:
    async def put(**policy: object) -> object:
        answer = await control.client.put("/api/v1/privacy", json=policy, headers=ADMIN)
        return answer.json().get("mask_recordings", answer.status_code)

    assert await put(masking="all") is False
    assert await put(masking="all", mask_recordings=True) is True
    assert await put(masking="numbers") is True
    assert await put(masking="numbers", mask_recordings="yes") == 422
    assert await put(masking="numbers", mask_recordings=False) is False
