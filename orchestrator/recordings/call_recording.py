"""The recording of a call that goes on."""

from __future__ import annotations

from uuid import UUID

import structlog

from orchestrator.core.errors import LegError, RecordingDamaged, RecordingUnavailable, StoreUnavailable
from orchestrator.core.events import Recorder, RecordingStarted
from orchestrator.core.ports import CallLeg
from orchestrator.recordings.keyring import Keyring

log = structlog.get_logger(__name__)


class LegRecording:
    """orchestrator.core.ports.CallRecording by whatever carries the leg."""

    def __init__(self, keyring: Keyring, recorder: Recorder, account: UUID, call_id: UUID, leg: CallLeg) -> None:
        self._keyring = keyring
        self._recorder = recorder
        self._account = account
        self._call_id = call_id
        self._leg = leg
        self._begun = False

    async def begin(self) -> float | None:
        """See CallRecording. Why it cannot be is logged: a call is not ended for it."""
        if self._begun:
            return None
        self._begun = True
        try:
            key, wrapped = await self._keyring.new(self._account, self._call_id)
            start_at = await self._leg.record(key.account, key.secret)
        except (LegError, StoreUnavailable, RecordingUnavailable, RecordingDamaged) as error:
            log.warning("recording_refused", call=str(self._call_id), error=str(error))
            return None
        # Whoever dies before this is kept leaves some moments that nobody can open.
        self._recorder.record(RecordingStarted(self._call_id, wrapped.hex(), self._leg.rate, start_at))
        return start_at
