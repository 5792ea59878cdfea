from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from telephony.recording.recorder import Recordings
from telephony.sip import gateway
from telephony.sip.account import Registration
from telephony.sip.control import Carry
from telephony.sip.settings import GatewaySettings, Trunk

TRUNK = Trunk(name="trunk:1", registrar="127.0.0.1:5160", user="agent")


class Hasty(gateway.Switchboard):
    """Its registrars answer before whoever asked for a trunk goes on, as they do when asyncio is late."""

    async def carry(self, trunks: Sequence[Trunk]) -> dict[str, str]:
        for trunk in trunks:
            self._told(Registration(trunk.name, 200, "OK", registered=True))
        await asyncio.sleep(0)
        return {}


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "Switchboard", Hasty)


async def test_a_registrar_s_answer_is_known_however_soon_it_comes(hasty: None, tmp_path: Path) -> None:
    objects = {"location": str(tmp_path / "objects")}
    token = "a-token-of-some-length"
    told = {"orchestrator": "ws://127.0.0.1:9/", "token": token, "journals": tmp_path / "journals", "objects": objects}
    async with asyncio.TaskGroup() as group:
        one = gateway.Gateway(GatewaySettings.model_validate(told), cast(Recordings, None), group)
        for trunk in (TRUNK, TRUNK.model_copy(update={"user": "another"})):
            await one.carry(Carry(trunks=(trunk,)))
            assert one.status().registrations == {"trunk:1": "200 OK"}
        await one.carry(Carry(trunks=()))
        assert one.status().registrations == {}
