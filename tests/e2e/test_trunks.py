"""An account's trunk, made over the API: it registers and carries calls with no restart, and is nobody else's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from benchmarks.caller import MeasuredCall, measured_call
from benchmarks.conversation import Line, Manners
from benchmarks.system import Setup, System, running
from orchestrator.core.errors import CarrierRejected
from telephony.sip.caller import Credentials, Dialling, Phone
from tests.e2e.conftest import AGENTS, PASSWORDS, passable_folder
from tests.e2e.peers import Kamailio
from tests.e2e.test_story import PASSWORD, Company
from tests.e2e.waiting import wait

MANNERS = Manners(quiet=1.0, reply=3.0)
SILENCE = Line("silence", np.zeros(8000, dtype=np.int16))
NUMBER = "visitor"  # the trunk's user at Kamailio


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    """An Offhook without a file of trunks, whose accounts may have theirs on this machine."""
    networks = {"OFFHOOK_TRUNK_NETWORKS": "127.0.0.0/8"}
    with passable_folder() as folder, running(Setup(folder / "data", AGENTS, environment=networks)) as system:
        yield system


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Kamailio]:
    """A carrier."""
    with Kamailio.running(tmp_path / "kamailio", PASSWORDS) as proxy:
        yield proxy


def company(system: System, name: str, *numbers: str) -> tuple[Company, str, str]:
    """An account with an admin who has signed in, its id, and its agent."""
    operator = Company(system).as_operator()
    admin = {"email": f"{name}@example.org", "name": name, "password": PASSWORD}
    account = operator.ask("POST", "/accounts", {"name": name, "admin": admin})["id"]
    made = Company(system)
    made.token = made.ask("POST", "/auth/login", {"email": admin["email"], "password": PASSWORD})["access_token"]
    agent = made.ask("POST", "/agents", {"name": "desk", "template": "receptionist.en"})
    made.ask("POST", f"/agents/{agent['id']}/publish", {"revision": agent["revision"]})
    for number in numbers:
        operator.ask("PUT", f"/accounts/{account}/numbers/{number}")
        made.ask("PUT", f"/numbers/{number}", {"agent_id": agent["id"]})
    return made, account, agent["id"]


def state(who: Company, trunk: str) -> Any:
    return who.ask("GET", f"/trunks/{trunk}")["state"]


def through(proxy: Kamailio, phone: Phone, caller: str) -> MeasuredCall:
    """A call to the carrier's user, whom Offhook has registered."""
    known = Credentials("desk", PASSWORDS["desk"])
    dialling = Dialling(f"sip:{NUMBER}@127.0.0.1:{proxy.port}", caller=caller, credentials=known)
    return measured_call(phone, dialling, [SILENCE], MANNERS)


def answered(place: Callable[[], MeasuredCall]) -> MeasuredCall:
    """The call that *place* places, once an agent that was just published answers."""
    found: list[MeasuredCall] = []

    def answers() -> bool:
        try:
            found.append(place())
        except CarrierRejected as error:
            assert error.status == 404
        return bool(found)

    wait(answers, 30)
    return found[0]


def directly(system: System, phone: Phone) -> MeasuredCall:
    """A call from this machine, by no trunk of an account."""
    return measured_call(phone, Dialling(system.uri(NUMBER), caller="neighbour"), [SILENCE], MANNERS)


def refusal(proxy: Kamailio, phone: Phone) -> tuple[int, str]:
    """How such a call is refused."""
    with pytest.raises(CarrierRejected) as refused:
        through(proxy, phone, "refused")
    return refused.value.status, refused.value.reason


def test_a_trunk_made_over_the_api_carries_calls_both_ways_for_its_account_alone(
    system: System, proxy: Kamailio, phone: Phone
) -> None:
    shop, account, agent = company(system, "shop", NUMBER)
    other, others_account, others_agent = company(system, "other")
    carrier = {"name": "carrier", "registrar": f"localhost:{proxy.port}", "user": NUMBER, "expires": 60}
    trunk = shop.ask("POST", "/trunks", {**carrier, "password": "wrong"})["id"]
    wait(lambda: state(shop, trunk) == "refused", 20)
    assert shop.ask("GET", f"/trunks/{trunk}")["reason"] == "401 Unauthorized"
    assert not proxy.knows(NUMBER)
    shop.ask("PATCH", f"/trunks/{trunk}", {"password": PASSWORDS[NUMBER]})
    wait(lambda: state(shop, trunk) == "registered", 20)

    # In, and out: the call goes to the carrier, which brings it back to the one who is registered.
    assert answered(lambda: through(proxy, phone, "somebody")).greeting
    placed = shop.ask("POST", "/calls", {"agent_id": agent, "to": NUMBER, "trunk": "carrier"})["id"]

    def hear_each_other() -> bool:
        calls = shop.ask("GET", "/calls")["items"]
        both = [call for call in calls if call["id"] == placed or call["caller"] == NUMBER]
        told = [shop.ask("GET", f"/calls/{call['id']}") for call in both]
        return len(told) == 2 and all("speech_started" in {event["type"] for event in one["events"]} for one in told)

    wait(hear_each_other, 60)
    assert other.ask("GET", "/calls")["items"] == []

    # Another account has no part in it: it neither sees it nor calls out through it, nor is it called by it.
    assert other.ask("GET", "/trunks")["items"] == []
    refused = httpx.post(
        f"{system.http}/api/v1/calls",
        json={"agent_id": others_agent, "to": NUMBER, "trunk": "carrier"},
        headers={"Authorization": f"Bearer {other.token}"},
    )
    assert (refused.status_code, refused.json()["code"]) == (403, "no_trunks")
    operator = other.as_operator()
    operator.ask("DELETE", f"/accounts/{account}/numbers/{NUMBER}")
    operator.ask("PUT", f"/accounts/{others_account}/numbers/{NUMBER}")
    other.ask("PUT", f"/numbers/{NUMBER}", {"agent_id": others_agent})
    shop.ask("PATCH", f"/trunks/{trunk}", {"enabled": False})
    wait(lambda: not proxy.knows(NUMBER), 20)
    assert answered(lambda: directly(system, phone)).greeting
    shop.ask("PATCH", f"/trunks/{trunk}", {"enabled": True})
    wait(lambda: state(shop, trunk) == "registered", 20)
    assert refusal(proxy, phone) == (404, "Not Found")  # ours: the carrier says "Not Registered"

    shop.ask("DELETE", f"/trunks/{trunk}")
    wait(lambda: not proxy.knows(NUMBER), 20)
    metrics = httpx.get(f"{system.http}/metrics").text
    restarts = [line for line in metrics.splitlines() if line.startswith("offhook_gateway_restarts_total{")]
    assert [line.split()[-1] for line in restarts] == ["0.0"]
    assert PASSWORDS[NUMBER] not in system.log.read_text(encoding="utf-8")
