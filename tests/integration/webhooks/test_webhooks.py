"""Webhooks from what happens to who is told: over HTTP, on a real PostgreSQL, with a real receiver."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from orchestrator.access.seal import Seal
from orchestrator.core.events import FIRST_ACCOUNT, CallEnded, CallStarted, EndReason, Happened, Spoken
from orchestrator.jobs.kinds import Done, JobFailed, Lane
from orchestrator.jobs.webhooks import forgetting, webhook
from orchestrator.store.calls_repository import CallsRepository
from orchestrator.store.job_runs import JobRuns
from orchestrator.store.jobs import Work, put, to_job
from orchestrator.store.webhook_events import WEBHOOK
from orchestrator.store.webhooks_repository import MOST, WebhooksRepository
from orchestrator.webhooks.sender import Sender
from orchestrator.webhooks.signing import new_secret, signed, verified
from tests.integration.api.conftest import OPERATOR, TOKEN_KEY, Control, control  # noqa: F401 - a fixture
from tests.integration.webhooks.receiver import Receiver, receiving

ADMIN = {"Authorization": f"Bearer {OPERATOR}"}
HERE = [ip_network("127.0.0.0/8")]
CALL = UUID(int=77)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


class Told:
    """The API and its worker's part, run by hand."""

    def __init__(self, control: Control, receiver: Receiver) -> None:  # noqa: F811
        self.control = control
        self.receiver = receiver
        seal = Seal(TOKEN_KEY.encode(), WEBHOOK)
        self.kind = webhook(WebhooksRepository(control.database), seal, Sender(HERE), lambda: control.now)

    async def ask(self, method: str, path: str = "", body: object = None) -> Any:
        answer = await self.control.client.request(method, f"/api/v1/webhooks{path}", json=body, headers=ADMIN)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def make(self, *events: str) -> Any:
        return await self.ask("POST", "", {"url": self.receiver.url, "events": events or ["call.ended"]})

    async def run(self, attempts: int = 1) -> list[Done | JobFailed]:
        """Try every job that waits, as its *attempts*th try."""
        async with self.control.database.connection() as connection:
            columns = (
                "id, account_id, kind, key, call_id, payload, state, $2::int AS attempts, run, lost, error, result"
            )
            times = "created_at, due_at, started_at, finished_at"
            rows = await connection.fetch(
                f"SELECT {columns}, {times} FROM jobs WHERE kind = $1 ORDER BY created_at", WEBHOOK, attempts
            )
        outcomes: list[Done | JobFailed] = []
        for row in rows:
            try:
                outcomes.append(await self.kind.run(to_job(row)))
            except JobFailed as error:
                outcomes.append(error)
        return outcomes

    async def deliveries(self, hook: Any) -> Any:
        return (await self.ask("GET", f"/{hook['id']}/deliveries"))["items"]


@pytest_asyncio.fixture
async def told(control: Control, receiver: Receiver) -> AsyncIterator[Told]:  # noqa: F811
    yield Told(control, receiver)


async def a_call(told: Told) -> None:
    await CallsRepository(told.control.database).write(
        [
            CallStarted(CALL, "demo", "inbound", "+33612345678", "demo", "sip", 1_800_000_000.0),
            Happened(CALL, 0, "state", 0.0, {"to": "greeting"}),
            Spoken(CALL, 0, "caller", "my secret words", 1.0, 2.0),
            CallEnded(CALL, EndReason.CALLER_HANGUP, 1_800_000_030.0, 30.0),
        ]
    )


async def test_a_call_that_ended_is_told_signed_and_without_what_was_said(told: Told) -> None:
    hook = await told.make("call.started", "call.ended")
    await a_call(told)
    await a_call(told)  # kept once more, it is no other call
    assert [type(outcome) for outcome in await told.run()] == [Done, Done]
    (_, started), (headers, ended) = told.receiver.got
    assert (json.loads(started)["type"], json.loads(ended)["type"]) == ("call.started", "call.ended")
    data = json.loads(ended)["data"]
    assert (data["call_id"], data["reason"], data["duration"]) == (str(CALL), "caller_hangup", 30.0)
    assert b"secret words" not in ended and b"33612345678" not in ended
    # As the standard has it, computed here and not by our own code.
    key = base64.b64decode(hook["secret"].removeprefix("whsec_"))
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + ended
    wanted = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"
    assert [one["state"] for one in await told.deliveries(hook)] == ["delivered", "delivered"]
    assert [outcome.result for outcome in await told.run() if isinstance(outcome, Done)] == [{"sent": False}] * 2
    assert len(told.receiver.got) == 2


async def test_what_is_not_taken_is_tried_again_as_the_same_message(told: Told) -> None:
    hook = await told.make()
    told.receiver.answers, told.receiver.headers = [503, 302], {"Retry-After": "120", "Location": "http://127.0.0.1:1/"}
    await a_call(told)
    (first,), (second,) = await told.run(1), await told.run(2)
    assert isinstance(first, JobFailed) and (first.code, first.again, first.after) == (
        "refused",
        True,
        timedelta(seconds=120),
    )
    assert isinstance(second, JobFailed) and second.code == "refused"  # a redirect is followed nowhere
    (read,) = await told.deliveries(hook)
    assert (read["state"], read["attempts"], read["status"], read["error"]) == ("waiting", 2, 302, "refused")
    assert isinstance((await told.run(3))[0], Done)
    ids = {headers["webhook-id"] for headers, _ in told.receiver.got}
    bodies = {body for _, body in told.receiver.got}
    assert (len(told.receiver.got), len(ids), len(bodies)) == (3, 1, 1)


async def test_a_receiver_that_asks_for_another_try_at_once_waits_as_others_do(told: Told) -> None:
    await told.make()
    told.receiver.answers, told.receiver.headers = [503], {"Retry-After": "0"}
    await a_call(told)
    (outcome,) = await told.run(attempts=5)
    assert isinstance(outcome, JobFailed) and outcome.after is not None
    assert outcome.after >= timedelta(seconds=120)


async def test_a_delivery_whose_job_is_cancelled_or_loses_its_workers_has_failed_and_may_be_sent_again(
    told: Told,
) -> None:
    hook = await told.make("call.started", "call.ended")
    await a_call(told)
    runs = JobRuns(told.control.database)
    async with told.control.database.connection() as connection:
        cancelled, lost = [row["id"] for row in await connection.fetch("SELECT id FROM jobs WHERE kind = $1", WEBHOOK)]
        await connection.execute("UPDATE jobs SET state = 'running', lost = 3 WHERE id = $1", lost)
    answer = await told.control.client.post(f"/api/v1/jobs/{cancelled}/cancel", headers=ADMIN)
    assert answer.is_success
    assert await runs.claim(lost, losses=3) is None
    read = await told.deliveries(hook)
    assert sorted((one["state"], one["error"]) for one in read) == [("failed", "cancelled"), ("failed", "worker_lost")]
    for one in read:
        await told.ask("POST", f"/{hook['id']}/deliveries/{one['id']}/again")
    assert [one["state"] for one in await told.deliveries(hook)] == ["waiting", "waiting"]


async def test_what_is_given_up_is_told_and_sent_again_when_somebody_asks(told: Told) -> None:
    hook = await told.make()
    told.receiver.answers = [500]
    await a_call(told)
    (last,) = await told.run(attempts=14)
    assert isinstance(last, JobFailed) and not last.again
    (read,) = await told.deliveries(hook)
    assert read["state"] == "failed"
    await told.ask("POST", f"/{hook['id']}/deliveries/{read['id']}/again")
    await told.run()
    assert [one["state"] for one in await told.deliveries(hook)] == ["delivered"]


async def test_who_says_that_it_is_gone_is_told_nothing_more_until_somebody_enables_it(told: Told) -> None:
    hook = await told.make()
    told.receiver.answers = [410]
    await a_call(told)
    await told.run()
    read = await told.ask("GET", f"/{hook['id']}")
    assert (read["enabled"], read["disabled_by"]) == (False, "gone")
    await told.ask("POST", f"/{hook['id']}/test")
    await told.run()
    assert json.loads(told.receiver.got[-1][1])["type"] == "webhook.test"
    again = await told.ask("PATCH", f"/{hook['id']}", {"enabled": True})
    assert (again["enabled"], again["disabled_by"], again["failing_since"]) == (True, None, None)


async def test_one_that_fails_for_five_days_is_disabled(told: Told) -> None:
    hook = await told.make()
    told.receiver.answers = [500, 500]
    await a_call(told)
    await told.run(1)
    assert (await told.ask("GET", f"/{hook['id']}"))["enabled"]
    async with told.control.database.connection() as connection:
        await connection.execute("UPDATE webhooks SET failing_since = now() - interval '6 days'")
    await told.run(2)
    read = await told.ask("GET", f"/{hook['id']}")
    assert (read["enabled"], read["disabled_by"]) == (False, "failing")


async def test_a_change_leaves_what_it_does_not_name_as_it_is_by_then(told: Told) -> None:
    """Such as that it was disabled between somebody's look and their change."""
    hook = await told.make()
    webhooks = WebhooksRepository(told.control.database)
    async with told.control.database.connection() as connection:
        await connection.execute("UPDATE webhooks SET enabled = false, disabled_by = 'gone', failing_since = now()")
    changed = await webhooks.change(FIRST_ACCOUNT, UUID(hook["id"]), {"description": "crm"})
    assert changed is not None
    assert (changed.description, changed.enabled, changed.disabled_by) == ("crm", False, "gone")
    nothing = await told.ask("PATCH", f"/{hook['id']}", {})
    assert (nothing["enabled"], nothing["disabled_by"], nothing["description"]) == (False, "gone", "crm")
    enabled = await told.ask("PATCH", f"/{hook['id']}", {"enabled": True})
    assert (enabled["enabled"], enabled["disabled_by"], enabled["failing_since"]) == (True, None, None)
    disabled = await told.ask("PATCH", f"/{hook['id']}", {"enabled": False, "events": ["call.started"]})
    assert (disabled["disabled_by"], disabled["events"]) == ("somebody", ["call.started"])


async def test_an_account_has_so_many_webhooks_and_no_more(told: Told) -> None:
    for _ in range(MOST):
        hook = await told.make()
    body = {"url": told.receiver.url, "events": ["call.ended"]}
    refused = await told.control.client.post("/api/v1/webhooks", json=body, headers=ADMIN)
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_webhooks")
    await told.ask("DELETE", f"/{hook['id']}")
    await told.make()


async def test_messages_have_places_of_their_own_among_jobs(told: Told) -> None:
    """For they wait for programs of others: nothing else waits behind them."""
    others = forgetting(WebhooksRepository(told.control.database))
    assert (told.kind.lane, others.lane) == (Lane.MESSAGES, Lane.QUICK)


async def test_of_webhooks_that_are_made_at_once_no_more_are_kept_than_there_may_be(told: Told) -> None:
    body = {"url": told.receiver.url, "events": ["call.ended"]}
    ask = told.control.client.post
    made = await asyncio.gather(*(ask("/api/v1/webhooks", json=body, headers=ADMIN) for _ in range(3 * MOST)))
    assert sorted(answer.status_code for answer in made) == [201] * MOST + [409] * 2 * MOST


async def test_the_log_of_an_account_is_forgotten_in_its_own_job(told: Told) -> None:
    """After 30 days, and with nothing of another's."""
    hook, other = await told.make(), uuid4()
    async with told.control.database.connection() as connection:
        await connection.execute("INSERT INTO accounts (id, name) VALUES ($1, 'other')", other)
        theirs = await connection.fetchval(
            """
            INSERT INTO webhooks (account_id, id, url, events, secret) VALUES ($1, $2, 'http://x', '{}', '')
            RETURNING id
            """,
            *(other, uuid4()),
        )
        for account, webhook_id, days in (
            (FIRST_ACCOUNT, UUID(hook["id"]), 31),
            (FIRST_ACCOUNT, UUID(hook["id"]), 29),
            (other, theirs, 31),
        ):
            await connection.execute(
                """
                INSERT INTO webhook_deliveries (account_id, webhook_id, event_id, type, data, happened_at)
                VALUES ($1, $2, $3, 'call.ended', '{}', now() - make_interval(days => $4))
                """,
                *(account, webhook_id, uuid4(), days),
            )
        job = uuid4()
        await put(connection, Work(FIRST_ACCOUNT, "webhook_log", id=job))
        asked = to_job(await connection.fetchrow("SELECT * FROM jobs WHERE id = $1", job))
        await forgetting(WebhooksRepository(told.control.database)).run(asked)
        kept = await connection.fetch(
            "SELECT account_id, extract(day FROM now() - happened_at)::int AS days FROM webhook_deliveries"
        )
    assert {(row["account_id"], row["days"]) for row in kept} == {(FIRST_ACCOUNT, 29), (other, 31)}


async def test_another_secret_signs_beside_the_former_one_for_a_day(told: Told) -> None:
    hook = await told.make()
    new = (await told.ask("POST", f"/{hook['id']}/secret"))["secret"]
    await a_call(told)
    await told.run()
    headers, body = told.receiver.got[0]
    now = told.control.now
    assert verified(headers, body, hook["secret"], now) and verified(headers, body, new, now)
    assert not verified(headers, body + b" ", new, now)
    assert not verified({**headers, "webhook-id": "another"}, body, new, now)
    assert not verified(headers, body, "whsec_" + base64.b64encode(bytes(32)).decode(), now)
    assert not verified(headers, body, new, now + 301)
    assert not verified({}, body, new, now)
    assert not verified(headers, body, "no base64!", now)


async def test_an_answer_without_end_holds_nobody_up(told: Told) -> None:
    await told.make()
    told.receiver.endless = True
    await a_call(told)
    (outcome,) = await told.run()
    assert isinstance(outcome, Done)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "0.0.0.0", "[::ffff:127.0.0.1]"]
)
async def test_messages_go_to_no_network_that_the_operator_did_not_name(host: str) -> None:
    private = [ip_network("10.0.0.0/8"), ip_network("fc00::/7")]
    outcome = await Sender(private).send(f"http://{host}:1/hook", {}, b"{}")
    assert (outcome.status, outcome.error) == (None, "address_refused")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "169.254.1.1", "169.254.169.254", "[fd00:ec2::254]", "0.0.0.0"])
async def test_no_wide_network_means_the_machine_itself_or_its_cloud_s_credentials(host: str) -> None:
    everything = [ip_network("0.0.0.0/0"), ip_network("::/0"), ip_network("fc00::/7")]
    assert (await Sender(everything).send(f"http://{host}:1/hook", {}, b"{}")).error == "address_refused"


async def test_a_certificate_of_nobody_we_trust_is_told(tmp_path: Path) -> None:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signing = x509.CertificateBuilder(name, name, made.public_key(), x509.random_serial_number())
    signing = signing.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    cert.write_bytes(signing.sign(made, hashes.SHA256()).public_bytes(Encoding.PEM))
    key.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context) as listening:
        port = listening.sockets[0].getsockname()[1]
        assert (await Sender(HERE).send(f"https://localhost:{port}/", {}, b"")).error == "bad_certificate"


async def test_what_waits_for_one_that_is_disabled_is_given_up_and_may_be_asked_for_again(told: Told) -> None:
    hook = await told.make()
    await a_call(told)
    await told.ask("PATCH", f"/{hook['id']}", {"enabled": False})
    await told.run()
    (read,) = await told.deliveries(hook)
    assert (read["state"], read["error"], told.receiver.got) == ("failed", "disabled", [])
    await told.ask("PATCH", f"/{hook['id']}", {"enabled": True})
    await told.ask("POST", f"/{hook['id']}/deliveries/{read['id']}/again")
    await told.run()
    assert [one["state"] for one in await told.deliveries(hook)] == ["delivered"]


async def test_a_name_that_leads_elsewhere_is_refused_and_one_that_leads_nowhere_is_told() -> None:
    assert (await Sender(HERE).send("http://no-such-host.invalid/", {}, b"")).error == "unknown_host"
    assert (await Sender(HERE).send("http://127.0.0.1:1/", {}, b"")).error == "unreachable"


async def test_a_name_is_connected_to_where_it_was_found_to_lead(receiver: Receiver) -> None:
    outcome = await Sender(HERE).send(f"http://localhost:{receiver.port}/hook", {}, b"{}")
    assert outcome.error is None
    assert receiver.got[0][0]["host"] == f"localhost:{receiver.port}"


async def test_a_removed_webhook_is_told_nothing_and_another_account_has_none_of_it(told: Told) -> None:
    hook = await told.make()
    await a_call(told)
    await told.control.user("theirs@example.org", await told.control.account("other"))
    theirs = await told.control.bearer("theirs@example.org")
    assert (await told.control.client.get(f"/api/v1/webhooks/{hook['id']}", headers=theirs)).status_code == 404
    await told.ask("DELETE", f"/{hook['id']}")
    (outcome,) = await told.run()
    assert isinstance(outcome, Done) and told.receiver.got == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/",
        "http://",
        "https://user@host/",
        "https://host/#part",
        "http://ho st/",
        "http://host:0/",
        "http://host:x/",
    ],
)
async def test_what_is_no_address_is_refused(told: Told, url: str) -> None:
    asked = {"url": url, "events": ["call.ended"]}
    answer = await told.control.client.post("/api/v1/webhooks", json=asked, headers=ADMIN)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "169.254.169.254", "[::ffff:127.0.0.1]"])
async def test_an_address_that_is_never_sent_to_is_told_at_once(told: Told, host: str) -> None:
    asked = {"url": f"http://{host}/hook", "events": ["call.ended"]}
    answer = await told.control.client.post("/api/v1/webhooks", json=asked, headers=ADMIN)
    assert (answer.status_code, answer.json()["code"]) == (422, "address_refused")
    hook = await told.make()
    answer = await told.control.client.patch(
        f"/api/v1/webhooks/{hook['id']}", json={"url": asked["url"]}, headers=ADMIN
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "address_refused")
    assert (await told.ask("GET", f"/{hook['id']}"))["url"] == told.receiver.url


async def test_secrets_are_sealed_in_the_database_and_not_shown_again(told: Told) -> None:
    hook = await told.make()
    async with told.control.database.connection() as connection:
        sealed = await connection.fetchval("SELECT secret FROM webhooks")
    assert hook["secret"].encode() not in sealed
    assert "secret" not in await told.ask("GET", f"/{hook['id']}")


def test_the_receiver_s_code_in_the_guide_knows_ours_from_a_forged_one() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text()
    code = re.search(r"```python\n(.*?)```", guide, re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {}
    exec(code[1], names)
    secret, body = new_secret(), b'{"type":"call.ended"}'
    headers = signed("one", 1_800_000_000, body, [new_secret(), secret])
    ours = names["is_ours"]
    assert ours(headers, body, secret, now=1_800_000_010)
    assert not ours(headers, body + b" ", secret, now=1_800_000_010)
    assert not ours(headers, body, new_secret(), now=1_800_000_010)
    assert not ours(headers, body, secret, now=1_800_000_999)
    assert not ours({}, body, secret, now=1_800_000_010)
    assert not ours({**headers, "webhook-timestamp": "soon"}, body, secret, now=1_800_000_010)
    assert not ours({**headers, "webhook-signature": "v1,a é"}, body, secret, now=1_800_000_010)
