"""One call, measured at the caller: what was said, what was heard in answer, and how long it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.conversation import RATE, Conversation, Line, Manners, Said
from benchmarks.measure import TurnSound, audible, silenced_after, turn_sound
from benchmarks.sound_files import narrowband
from orchestrator.core.bursts import Burst, bursts
from telephony.sip.caller import Codec, Dialling, Phone, PlacedCall


@dataclass(frozen=True, slots=True)
class MeasuredTurn:
    """One line and what came of it. sound: None when the line held no speech, such as keys.

    barge_in: for a line that talked over the agent, seconds from its onset until the agent was heard no more.
    waited: seconds by which the caller itself, in its jitter buffer and resampler, delayed the reply.
    """

    line: Line
    sound: TurnSound | None
    barge_in: float | None = None
    waited: float | None = None

    @property
    def answered(self) -> bool:
        """Whether anything was heard in answer."""
        return self.sound is None or self.sound.reply_ended is not None


@dataclass(frozen=True, slots=True)
class MeasuredCall:
    """A call and its turns. greeting: when the agent was first heard and when it was done, None without one."""

    placed: PlacedCall
    greeting: Burst | None
    turns: tuple[MeasuredTurn, ...]

    @property
    def succeeded(self) -> bool:
        """Whether every line was said and answered."""
        return all(turn.answered for turn in self.turns) and self.placed.hung_up_by == "caller"


def measured_call(phone: Phone, dialling: Dialling, lines: Sequence[Line], manners: Manners) -> MeasuredCall:
    """Dial, say *lines* and measure. Raises CarrierRejected when nobody answers."""
    conversation = Conversation(tuple(as_sent(line, dialling.codec) for line in lines), manners)
    placed = phone.call(dialling, conversation)
    return read_call(placed, conversation.said)


def as_sent(line: Line, codec: Codec) -> Line:
    """The line as the codec lets it through, so that the recording ends its speech where the wire does.

    One that talks over the agent begins with its speech: the moment was chosen by what the agent says in it.
    """
    pcm = line.pcm if codec == "G722" or not len(line.pcm) else narrowband(line.pcm)
    spoken = [] if line.over is None else bursts(pcm, RATE)
    return replace(line, pcm=pcm[round(spoken[0].start * RATE) :] if spoken else pcm)


def read_call(placed: PlacedCall, said: Sequence[Said]) -> MeasuredCall:
    """What the recording of a call shows, given when each line went out."""
    heard = bursts(placed.heard, RATE)
    starts = [one.start for one in said] + [len(placed.heard) / RATE]
    turns = tuple(_read_turn(placed, one, heard, until) for one, until in zip(said, starts[1:], strict=True))
    first_word = starts[0]
    greeting = [burst for burst in heard if burst.start < first_word]
    return MeasuredCall(placed, Burst(greeting[0].start, greeting[-1].end) if greeting else None, turns)


def _read_turn(placed: PlacedCall, said: Said, heard: list[Burst], until: float) -> MeasuredTurn:
    sound = turn_sound(_spoken(placed, said), heard, until)
    if sound is None:
        return MeasuredTurn(said.line, None)
    return MeasuredTurn(
        line=said.line,
        sound=sound,
        barge_in=None if said.line.over is None else _silenced(placed, sound),
        waited=None if sound.reply_started is None else placed.waited(sound.reply_started),
    )


def _silenced(placed: PlacedCall, over: TurnSound) -> float | None:
    return silenced_after(audible(placed.heard, RATE), over.onset, over.speech_ended)


def _spoken(placed: PlacedCall, said: Said) -> list[Burst]:
    """The speech of a line as it went out. Each line has its own loudness and noise, so it is read by itself."""
    found = bursts(placed.sent[round(said.start * RATE) : round(said.end * RATE)], RATE)
    return [Burst(said.start + burst.start, said.start + burst.end) for burst in found]
