"""docs/openapi.json: `python -m orchestrator.openapi` renews it, `--check` says whether it is what the routes are."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Final, cast

from orchestrator.api.application import application
from orchestrator.api.calls.placing import Exchange, Lines
from orchestrator.calls.supervisor import CallLimits, CallSupervisor, SharedEngines
from orchestrator.calls.trunks import Trunks
from orchestrator.compliance.policies import MaskingPolicies
from orchestrator.control_plane import Keys, Stage, control_plane
from orchestrator.core.events import Recorder
from orchestrator.core.ports import Embedder, TextToSpeech
from orchestrator.recordings.archive import Archive
from orchestrator.roster import AgentRoster
from orchestrator.store.agents_repository import AgentsRepository
from orchestrator.store.db import Database
from orchestrator.store.notifications import Notifications
from orchestrator.store.privacy_repository import PrivacyRepository

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "openapi.json"


async def document() -> str:
    """The document of the routes as they are. No database is needed: nobody asks anything."""
    database = Database("postgresql://")
    supervisor = CallSupervisor(cast("SharedEngines", None), {}, cast("Recorder", None), CallLimits())
    agents = AgentsRepository(database)
    lines = Lines(cast("Exchange", None), {}, Trunks(), supervisor.unanswered)
    roster = AgentRoster(agents, cast("Embedder", None), cast("TextToSpeech", None))
    keys, archive = Keys("k" * 32, "k" * 32), cast("Archive", SimpleNamespace(erasure=None))
    policies = MaskingPolicies(PrivacyRepository(database))
    notifications = Notifications(database)
    stage = Stage(database, notifications, supervisor, agents, roster, policies, lines, archive, keys, time.time)
    async with control_plane(stage) as control:
        return json.dumps(application(control.routers).openapi(), indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Renew or check; the exit code."""
    drawn = asyncio.run(document())
    if "--check" not in sys.argv:
        DOCUMENT.write_text(drawn, encoding="utf-8")
        return 0
    if DOCUMENT.exists() and DOCUMENT.read_text(encoding="utf-8") == drawn:
        return 0
    sys.stderr.write(f"{DOCUMENT} is not what the routes are: `make openapi` renews it\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
