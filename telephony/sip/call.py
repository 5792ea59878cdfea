"""One SIP call, as PJSIP and the rest of the gateway see it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pjsua2 as pj

from telephony.leg.messages import DTMF_DIGITS
from telephony.sip.coding import CODED_BYTES_A_SECOND, coding_delay
from telephony.sip.line import By, Connected, Ended, Line, Pressed, Refusal
from telephony.sip.media import CallPort
from telephony.sip.pjthread import guarded
from telephony.sip.statistics import MediaCount

RINGING, OK, CANCELLED, DECLINE = 180, 200, 487, 603
RINGS = (pj.PJSIP_INV_STATE_INCOMING, pj.PJSIP_INV_STATE_EARLY)


class SipCall(pj.Call):  # type: ignore[misc]
    """A call with its audio on the bridge. Lives in PJSIP's thread, as do all its callbacks."""

    def __init__(
        self,
        account: pj.Account,
        number: int,
        line: Line,
        open_port: Callable[[Line], CallPort],
        over: Callable[[SipCall], None],
    ) -> None:
        """*number*: PJSIP's own of an incoming call, or pj.PJSUA_INVALID_ID."""
        super().__init__(account, number)
        self.line = line
        self.account = account  # which must outlive it
        self.port: CallPort | None = None
        self.answered = False
        self.over = False
        self._open_port = open_port
        self._over = over
        self._ended_by: tuple[By, str] | None = None
        self._media = MediaCount()
        self._heard_at = 0.0
        self._stream: int | None = None

    def end(self, by: By, reason: str, refusal: Refusal | None = None) -> None:
        """Hang up; while it rings, refuse with *refusal* (603 without one). Nothing when it is over."""
        if self.over or self._ended_by is not None:
            return
        self._ended_by = by, reason
        prm = pj.CallOpParam(True)
        if refusal is None or not self._rings():
            self.hangup(prm)
            return
        prm.statusCode, prm.reason = refusal.status, refusal.phrase
        if refusal.retry_after is not None:
            header = pj.SipHeader()
            header.hName, header.hValue = "Retry-After", str(refusal.retry_after)
            prm.txOption.headers.append(header)
        # hangup() would lose the header of a call whose INVITE is still being looked at.
        self.answer(prm)

    def respond(self, status: int) -> None:
        """Tell the caller 180 while it rings, 200 to answer; nothing when it does not ring any more."""
        if not self._rings():
            return
        prm = pj.CallOpParam(True)
        prm.statusCode = status
        self.answer(prm)

    def watch(self, now: float, no_media: float) -> None:
        """Take the stream's statistics, and end the call when no RTP has come for *no_media* seconds.

        now: a monotonic clock. Nobody needs to send while the call is on hold.
        """
        if self.over or self.port is None or self._ended_by is not None:
            return
        info = self.getInfo()
        if self._count(info) or not self._sends(info):
            self._heard_at = now
        elif now - self._heard_at > no_media:
            self.end("gateway", "no_media")

    def look(self) -> None:
        """See what lies in the jitter buffer. By Little's law its mean content is the mean wait in it."""
        if self._stream is not None and self._ended_by is None:
            buffer = self.getStreamStat(self._stream).jbuf
            self.line.audio.waits(buffer.size * buffer.frameSize / CODED_BYTES_A_SECOND)

    def onCallState(self, prm: Any) -> None:  # noqa: N802 - PJSIP's name
        """The dialog moved on."""
        guarded(self._state_changed)

    def onCallMediaState(self, prm: Any) -> None:  # noqa: N802 - PJSIP's name
        """Media was negotiated, again after each re-INVITE."""
        guarded(self._connect)

    def onStreamDestroyed(self, prm: Any) -> None:  # noqa: N802 - PJSIP's name
        """The stream ends, with the call or to make room for a renegotiated one: the last moment for its figures."""
        self._stream = None
        guarded(lambda: self._media.close(self.getStreamStat(prm.streamIdx)))

    def onDtmfDigit(self, prm: Any) -> None:  # noqa: N802 - PJSIP's name
        """A key, by RFC 4733 or SIP INFO; the latter may hold anything."""
        if self.answered and prm.digit.upper() in DTMF_DIGITS:
            self.line.tell(Pressed(prm.digit.upper(), self.line.audio.now))

    def onCallTransferRequest(self, prm: Any) -> None:  # noqa: N802 - PJSIP's name
        """The other side wants us to call someone: toll fraud, and PJSIP follows unless told not to."""
        prm.statusCode = DECLINE

    def onCallReplaceRequest(self, prm: Any) -> None:  # noqa: N802 - PJSIP's name
        """Somebody wants to take the place of our caller."""
        prm.statusCode = DECLINE

    def _rings(self) -> bool:
        """Whether the caller waits for a final response: PJSIP aborts when a second one is given."""
        if self.over:  # it stays for a moment, but PJSIP knows nothing of it any more
            return False
        info = self.getInfo()
        return info.role == pj.PJSIP_ROLE_UAS and info.state in RINGS

    def _state_changed(self) -> None:
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            self._connect()
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.over = True
            status, phrase = info.lastStatusCode, info.lastReason
            unanswered = "cancel" if status == CANCELLED else "failed"
            by, reason = self._ended_by or ("caller", "bye" if self.answered else unanswered)
            self.line.tell(Ended(by, reason, self.answered, status, phrase, self._media.stats()))
            self._over(self)

    def _connect(self) -> None:
        """Join the stream to the port once the caller has acknowledged, so that no first word is lost."""
        # `info` stays alive while its media are read: the members of a temporary dangle.
        info = self.getInfo()
        index = self._audio_index(info)
        if info.state != pj.PJSIP_INV_STATE_CONFIRMED or index is None:
            return
        self._stream = index
        media = self.getAudioMedia(index)
        if self.port is None:
            self.port = self._open_port(self.line)
            self._heard_at = time.monotonic()
        media.startTransmit(self.port)
        self.port.startTransmit(media)
        codec = str(self.getStreamInfo(index).codecName)
        self.line.audio.coding = coding_delay(codec)
        if not self.answered:
            self.answered = True
            self.line.tell(Connected(codec))

    def _count(self, info: Any) -> bool:
        """Take the running stream's statistics, if there is one; whether RTP has come since the last time."""
        index = self._audio_index(info)
        if index is None or self.port is None:
            return False
        before = self._media.received
        self._media.note(self.getStreamStat(index))
        return self._media.received > before

    def _sends(self, info: Any) -> bool:
        """Whether the caller has to send; not while on hold."""
        index = self._audio_index(info)
        return index is not None and info.media[index].status == pj.PJSUA_CALL_MEDIA_ACTIVE

    def _audio_index(self, info: Any) -> int | None:
        """The running audio stream's index; None while there is none."""
        running = (pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD)
        for media in info.media:
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status in running:
                return int(media.index)
        return None
