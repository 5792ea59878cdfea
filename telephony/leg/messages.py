"""The text messages of the leg protocol, decoded strictly: unknown types, fields and values are refused."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from orchestrator.core.errors import LegError

Samples: TypeAlias = Annotated[int, Field(ge=0)]
# A reason phrase becomes part of a SIP message: no line may be smuggled in.
Phrase: TypeAlias = Annotated[str, Field(pattern=r"^[ -~]{0,64}$")]
SipStatus: TypeAlias = Annotated[int, Field(ge=300, le=699)]

DTMF_DIGITS = frozenset("0123456789*#ABCD")
_KEY_BYTES: Final = 32
T = TypeVar("T")


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def encode(self) -> str:
        """The message as it goes on the wire."""
        return self.model_dump_json()


class RtpStats(_Message):
    """What the media of a call went through, as of its end. Missing where the library knows nothing.

    received, sent: RTP packets; lost, discarded: of the received stream, after and by the jitter buffer;
    remote_lost: of ours, as the other side's RTCP reports; jitter, delay, round_trip: seconds.
    """

    received: int = 0
    sent: int = 0
    lost: int = 0
    discarded: int = 0
    remote_lost: int = 0
    jitter: float = 0.0
    jitter_buffer_delay: float = 0.0
    round_trip: float | None = None


class Way(_Message):
    """Another trunk by which a call may have come, and whom it is for if so."""

    trunk: str
    callee: str


class Invite(_Message):
    """A call wants an agent. direction "outbound": the orchestrator asked for it, under *call_id*.

    caller, callee: the user parts of the SIP URIs; gateway, trunk: the names of who brings it; codec is not yet known.
    others: of trunks that share addresses, those by which the call may have come just as well.
    """

    type: Literal["invite"] = "invite"
    call_id: UUID
    direction: Literal["inbound", "outbound"]
    caller: str
    callee: str
    gateway: str
    trunk: str | None = None
    others: tuple[Way, ...] = ()


class Answered(_Message):
    """Media runs in both directions. rate: Hz of all audio on the socket."""

    type: Literal["answered"] = "answered"
    rate: Annotated[int, Field(ge=8000, le=48000)]
    codec: str


class KeyPressed(_Message):
    """The caller pressed a key."""

    type: Literal["dtmf"] = "dtmf"
    digit: Annotated[str, Field(pattern=r"^[0-9*#A-D]$")]
    at: Samples


class Playing(_Message):
    """Output went from silence to audio: sample *index* of all audio ever played leaves at *at*."""

    type: Literal["playing"] = "playing"
    at: Samples
    index: Samples


class Drained(_Message):
    """Output went from audio to silence at *at*, after *index* samples of audio in all."""

    type: Literal["drained"] = "drained"
    at: Samples
    index: Samples


class Cleared(_Message):
    """The answer to Clear *id*: nothing is queued any more; *played* samples went out since the answer."""

    type: Literal["cleared"] = "cleared"
    id: int
    played: Samples


class RecordingBegan(_Message):
    """The answer to Record: the first sample that is recorded is *at*."""

    type: Literal["recording"] = "recording"
    at: Samples


class HungUp(_Message):
    """The call is over. by: who ended it; reason: a stable word, such as "bye", "cancel", "failed", "no_media"."""

    type: Literal["hangup"] = "hangup"
    by: Literal["caller", "agent", "gateway"]
    reason: str
    stats: RtpStats = RtpStats()


class Failed(_Message):
    """A command met *status* *reason*. The call goes on, unless the command was to dial."""

    type: Literal["failed"] = "failed"
    command: Literal["dial", "transfer", "record"]
    status: SipStatus
    reason: str


class Accept(_Message):
    """Answer the call. trunk: by which it came, of several that the invite names."""

    type: Literal["accept"] = "accept"
    trunk: str | None = None


class Reject(_Message):
    """Refuse the call with a SIP *status*. retry_after: seconds, when another try makes sense."""

    type: Literal["reject"] = "reject"
    status: SipStatus
    reason: Phrase
    retry_after: Annotated[int, Field(ge=0)] | None = None


class Clear(_Message):
    """Drop everything that is queued, now."""

    type: Literal["clear"] = "clear"
    id: int


class Transfer(_Message):
    """Hand the caller to *target*, a SIP URI or number."""

    type: Literal["transfer"] = "transfer"
    target: str


class Record(_Message):
    """Record both directions from now on, for *account*, under *key*: 32 bytes that nothing else is sealed with."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    type: Literal["record"] = "record"
    account: UUID
    key: Annotated[bytes, Field(min_length=_KEY_BYTES, max_length=_KEY_BYTES, repr=False)]


class HangUp(_Message):
    """End the call."""

    type: Literal["hangup"] = "hangup"


Report: TypeAlias = Invite | Answered | KeyPressed | Playing | Drained | Cleared | RecordingBegan | HungUp | Failed
Command: TypeAlias = Accept | Reject | Clear | Transfer | Record | HangUp

_REPORT: TypeAdapter[Report] = TypeAdapter(Annotated[Report, Field(discriminator="type")])
_COMMAND: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="type")])


def decode_report(text: str) -> Report:
    """What the gateway says. Raises LegError for anything else than a well-formed report."""
    return _decoded(_REPORT, text)


def decode_command(text: str) -> Command:
    """What the orchestrator wants. Raises LegError for anything else than a well-formed command."""
    return _decoded(_COMMAND, text)


def _decoded(adapter: TypeAdapter[T], text: str) -> T:
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "message"
        raise LegError(f"bad leg message: {where}: {first['msg']}") from error
