"""A call's port on PJSIP's conference bridge."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any

import pjsua2 as pj

from telephony.sip.pcm import FrameSource, frame_bytes, pcm_format, received
from telephony.sip.playout import CallAudio

_kept = threading.local()


class CallPort(pj.AudioMediaPort):  # type: ignore[misc]
    """Moves frames between the bridge and a CallAudio. Its callbacks run on the bridge's clock thread."""

    def __init__(self, audio: CallAudio, rate: int, ticked: Callable[[], None]) -> None:
        super().__init__()
        self._audio = audio
        self._ticked = ticked
        self._bytes = frame_bytes(rate)
        self._source = FrameSource(self._bytes)
        self.createPort("call", pcm_format(rate))

    def onFrameRequested(self, frame: Any) -> None:  # noqa: N802 - PJSIP's name
        """The bridge wants the agent's next 20 ms."""
        _keep_thread_state()
        self._source.give(frame, self._audio.requested())

    def onFrameReceived(self, frame: Any) -> None:  # noqa: N802 - PJSIP's name
        """The bridge has the caller's next 20 ms."""
        self._audio.given(received(frame, self._bytes))
        self._ticked()


def _keep_thread_state() -> None:
    """Keep what Python knows of this thread, which is PJSIP's, from one callback to the next.

    Otherwise each callback maps, clears and unmaps memory for it. A thread-local lives as long as it does.
    """
    if not hasattr(_kept, "state"):
        _kept.state = ctypes.pythonapi.PyGILState_Ensure()
