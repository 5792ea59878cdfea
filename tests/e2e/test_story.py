"""One account from its first day to a caller who wants to be forgotten, over HTTP and SIP, on the real engines."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from benchmarks.caller import MeasuredCall, measured_call
from benchmarks.conversation import Line, Manners
from benchmarks.questions import questions
from benchmarks.system import Setup, System, running
from inference.registry import Registry
from orchestrator.core.errors import CarrierRejected
from orchestrator.store.db import Database
from orchestrator.store.embedded import EmbeddedPostgres
from telephony.sip.caller import Dialling, Phone
from tests.e2e.conftest import AGENTS, passable_folder
from tests.e2e.waiting import wait
from tests.integration.dump import dump

PASSWORD = "correct horse battery staple"
YES = "Yes, of course."
HOURS = "What are your opening hours?"
VIOLIN = "I would like to buy a violin for my daughter."
ADDRESS = "What is your address?"
CALLER = "15550147"
OTHER = "15550188"
NUMBER = "15550102"
MOVED = "We have moved to nine Harbour Square."
MANNERS = Manners(quiet=1.2)
TRIES = 20


@dataclass(slots=True)
class Company:
    """What an admin of one account does over HTTP."""

    system: System
    token: str = ""
    lines: dict[str, Line] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: object = None, **query: str) -> Any:
        """The answer, which must be no refusal."""
        answer = httpx.request(
            method,
            f"{self.system.http}/api/v1{path}",
            json=body,
            params=query,
            headers={"Authorization": f"Bearer {self.token}"} if self.token else {},
            timeout=60.0,
        )
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def as_operator(self) -> Company:
        """Whoever runs the machine."""
        key = (self.system.data / "keys" / "operator.key").read_text(encoding="ascii").strip()
        return Company(self.system, key)

    def call(self, phone: Phone, caller: str, *said: str) -> MeasuredCall:
        """A call from *caller* who says that, each when the agent has finished."""
        lines = [self.lines[text] for text in said]
        for _ in range(TRIES):
            try:
                return measured_call(phone, Dialling(self.system.uri(NUMBER), caller), lines, MANNERS)
            except CarrierRejected as error:
                # Who answers a number changes within a moment, not at once.
                assert error.status == 404
                time.sleep(0.5)
        raise AssertionError("nobody answers the number")

    def stored(self, caller: str, nth: int = 0) -> dict[str, Any]:
        """The *nth* latest call from *caller*, once it is over and its recording complete."""
        found: list[dict[str, Any]] = []

        def over() -> bool:
            found[:] = [one for one in self.ask("GET", "/calls")["items"] if caller in one["caller"]]
            return len(found) > nth and all(one["ended_at"] for one in found)

        wait(over, 20)
        call: dict[str, Any] = self.ask("GET", f"/calls/{found[nth]['id']}")
        return call


@pytest.fixture(scope="module")
def company() -> Iterator[Company]:
    """An Offhook that nobody has used."""
    with passable_folder() as folder:
        setup = Setup(folder / "data", AGENTS, environment={"OFFHOOK_LOG_FILES": str(folder / "data" / "*.log")})
        with running(setup) as system:
            said = questions((YES, HOURS, VIOLIN, ADDRESS), Registry(), "cpu-tiny", folder / "speech")
            yield Company(system, lines=said)


def test_an_account_lives_from_its_first_day_to_a_caller_who_wants_to_be_forgotten(
    company: Company, phone: Phone
) -> None:
    agent = first_day(company)
    recorded_with_consent(company, phone, agent)
    what_jobs_add(company)
    found_by_a_word(company)
    a_version_while_another_one_talks(company, phone, agent)
    forgotten(company)


def first_day(company: Company) -> str:
    """An account, its admin, and an agent from a template that answers its number."""
    operator = company.as_operator()
    admin = {"email": "chief@practice.example", "name": "Chief", "password": PASSWORD}
    account = operator.ask("POST", "/accounts", {"name": "practice", "admin": admin})["id"]
    operator.ask("PUT", f"/accounts/{account}/numbers/{NUMBER}")
    signed_in = company.ask("POST", "/auth/login", {"email": admin["email"], "password": PASSWORD})
    company.token = signed_in["access_token"]
    made = company.ask("POST", "/agents", {"name": "desk", "template": "receptionist.en"})
    agent: str = made["id"]
    published = company.ask("POST", f"/agents/{agent}/publish", {"revision": made["revision"]})
    assert published["number"] == 1
    company.ask("PUT", f"/numbers/{NUMBER}", {"agent_id": agent})
    return agent


def recorded_with_consent(company: Company, phone: Phone, agent: str) -> None:
    """A caller agrees, asks, and is answered; what was recorded begins after the yes, and nobody else can open it."""
    assert company.call(phone, CALLER, YES, HOURS, VIOLIN).succeeded
    call = company.stored(CALLER)
    assert (call["agent_id"], call["version"]) == (agent, 1)
    assert (call["consent"]["given"], call["consent"]["how"]) == (True, "speech")
    assert [turn["answer"] for turn in call["turns"]][:3] == ["prompt", "greeting", "approved"]

    def complete() -> bool:
        return bool(company.ask("GET", f"/calls/{call['id']}/recording")["complete"])

    wait(complete, 20)
    told = company.ask("GET", f"/calls/{call['id']}/recording")
    assert told["start_at"] >= call["consent"]["at"]
    with wave.open(io.BytesIO(httpx.get(f"{company.system.http}{told['url']}").content)) as file:
        heard = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    assert len(heard) / told["rate"] == pytest.approx(call["duration"] - told["start_at"], abs=0.5)
    assert all(abs(heard[:, channel].astype(int)).max() > 1000 for channel in (0, 1))
    # The objects themselves are noise.
    sealed = b"".join(path.read_bytes() for path in objects(company.system) if path.name.isdigit())
    assert np.frombuffer(sealed[: len(sealed) // 2 * 2], "<u2").std() > 18_000


def what_jobs_add(company: Company) -> None:
    """A summary, how the caller sounded, and what the recording says that was said."""
    call = company.stored(CALLER)

    def done() -> bool:
        jobs = company.ask("GET", "/jobs", call=call["id"])["items"]
        return bool(jobs) and all(job["state"] == "succeeded" for job in jobs)

    wait(done, 120)
    told = company.ask("GET", f"/calls/{call['id']}")
    assert told["summary"]
    assert told["sentiment"] is not None
    assert any(turn["sentiment"] is not None for turn in told["turns"])
    assert "hours" in " ".join(line["transcription"] or "" for line in told["transcript"]).lower()


def found_by_a_word(company: Company) -> None:
    """What was said is found, by the account alone."""
    call = company.stored(CALLER)
    words = [line["text"] for line in call["transcript"] if line["speaker"] == "caller"]
    assert "hours" in " ".join(words).lower()
    found = company.ask("GET", "/calls", q="opening hours")["items"]
    assert [one["id"] for one in found] == [call["id"]]
    assert company.as_operator().ask("GET", "/calls", q="opening hours")["items"] == []


def a_version_while_another_one_talks(company: Company, phone: Phone, agent: str) -> None:
    """Version 2 is published in the middle of a call of version 1, which stays what it is; then it is taken back.

    It also knows whom the account knows by their number.
    """
    company.ask("POST", "/contacts", {"number": OTHER, "name": "Otto Brand"})
    before = len(company.ask("GET", "/calls")["items"])
    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(publish_in_the_middle, company, agent, before)
        assert company.call(phone, OTHER, YES, HOURS, ADDRESS).succeeded
        assert publishing.done()
        publishing.result()
    old = company.stored(OTHER)
    assert (old["version"], "Example Street" in said_by_agent(old), MOVED in said_by_agent(old)) == (1, True, False)
    assert company.call(phone, OTHER, YES, ADDRESS).succeeded
    new = company.stored(OTHER)
    assert (new["version"], MOVED in said_by_agent(new)) == (2, True)
    assert [remembered(call) for call in (old, new)] == [[], [True]]
    company.ask("POST", f"/agents/{agent}/rollback", {"version": 1})
    versions: list[int] = []
    while versions[-1:] != [1] and len(versions) < 3:  # the call that begins in that moment may still be of version 2
        assert company.call(phone, OTHER, YES).succeeded
        versions.append(company.stored(OTHER)["version"])
    assert versions[-1] == 1


def publish_in_the_middle(company: Company, agent: str, before: int) -> None:
    """Publish version 2 as soon as there are more calls than *before*."""
    wait(lambda: len(company.ask("GET", "/calls")["items"]) > before, 20)
    read = company.ask("GET", f"/agents/{agent}")
    definition = read["draft"]
    for one in definition["answers"]:
        if "address" in " ".join(one["questions"]):
            one["answer"] = MOVED
    draft = {"definition": definition, "revision": read["revision"]}
    definition["memory"] = "calls"
    revision = company.ask("PUT", f"/agents/{agent}/draft", draft)["revision"]
    assert company.ask("POST", f"/agents/{agent}/publish", {"revision": revision})["number"] == 2


def forgotten(company: Company) -> None:
    """Nothing of the first caller is left in the database, the objects or the logs, and the receipt says so."""
    call, kept = company.stored(CALLER), company.stored(OTHER)
    data = company.system.data
    before = asyncio.run(dumped(data))
    assert CALLER in before and "violin" in before.lower()
    assert call["id"] in company.system.log.read_text()
    assert [path for path in objects(company.system) if call["id"] in path.parts]
    erasure = company.ask("POST", "/erasures", {"caller": f"+{CALLER}"})["id"]
    wait(lambda: company.ask("GET", f"/erasures/{erasure}")["state"] == "finished", 60)
    receipt = data / "receipt.json"
    receipt.write_text(json.dumps(company.ask("GET", f"/erasures/{erasure}")))
    verifying = [sys.executable, "-m", "orchestrator", "receipts", "verify", str(receipt), "--data", str(data)]
    assert subprocess.run([*verifying, "--caller", f"+{CALLER}"], check=False, capture_output=True).returncode == 0
    assert subprocess.run([*verifying, "--caller", f"+{OTHER}"], check=False, capture_output=True).returncode != 0
    receipt.unlink()
    after = asyncio.run(dumped(data))
    assert CALLER not in after and "violin" not in after.lower()
    assert OTHER in after
    for path in data.rglob("*"):
        assert call["id"] not in path.parts
        if path.is_file() and "postgres" not in path.relative_to(data).parts[0]:
            assert CALLER.encode() not in path.read_bytes(), path
    assert call["id"] not in company.system.log.read_text()
    assert [one["id"] for one in company.ask("GET", "/calls")["items"] if one["id"] == kept["id"]]
    assert company.ask("GET", "/calls", q="violin")["items"] == []


async def dumped(data: Path) -> str:
    """All that the database holds."""
    async with Database(EmbeddedPostgres(data).dsn) as database:
        return await dump(database)


def remembered(call: dict[str, Any]) -> list[bool]:
    """Whether a contact was known, as often as somebody was."""
    return [event["payload"]["contact"] for event in call["events"] if event["type"] == "memory"]


def said_by_agent(call: dict[str, Any]) -> str:
    return " ".join(line["text"] for line in call["transcript"] if line["speaker"] == "agent")


def objects(system: System) -> list[Path]:
    return [path for path in (system.data / "objects").rglob("*") if path.is_file()]
