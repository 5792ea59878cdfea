"""What one caller of a load test says, and when: pure, fed with what is heard, asked for what to send.

A smaller relative of benchmarks/conversation.py: it works on G.711 as it is on the wire, at a tenth of the cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from math import nan

from benchmarks.load_rtp import SILENCE, TICK

# Loud for so many packets in a row, so that a click is not taken for a voice.
_VOICED = 2


@dataclass(frozen=True, slots=True)
class Question:
    """name: for reports; payloads: 20 ms each; speech_ends: seconds from its beginning to the end of its energy."""

    name: str
    payloads: tuple[bytes, ...]
    speech_ends: float


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. quiet: an agent that is silent for so long has finished; greeting, reply: until it must be heard.

    hears_out: whether the caller stays for the end of the last reply.
    """

    quiet: float = 0.6
    greeting: float = 10.0
    reply: float = 12.0
    hears_out: bool = True


@dataclass(slots=True)
class Asked:
    """A question that was asked. Times in seconds: speech_ended: of the caller; replied: the agent is heard; nan
    when it was not; ended: the agent has been silent for long enough."""

    question: Question
    speech_ended: float
    replied: float = nan
    ended: float = nan

    @property
    def voice_to_voice(self) -> float:
        """Seconds that the caller waited; nan without a reply, negative when the agent cut in."""
        return self.replied - self.speech_ended


class _State(Enum):
    GREETING = auto()
    ASKING = auto()
    WAITING = auto()
    LISTENING = auto()
    DONE = auto()


class Talk:
    """Hears the greeting, then asks each of *questions* and hears the reply. Times may be on any one clock."""

    def __init__(self, questions: Sequence[Question], patience: Patience, began: float) -> None:
        self.asked: list[Asked] = []
        self.greeted = False
        self._questions = list(reversed(questions))
        self._patience = patience
        self._state = _State.GREETING
        self._since = began
        self._sent = 0
        self._voiced = 0
        self._voice_began = self._voice_ended = nan

    @property
    def done(self) -> bool:
        """Whether there is nothing left to say or to wait for."""
        return self._state is _State.DONE

    def hear(self, loud: bool, at: float) -> None:
        """20 ms of the agent, *loud* or not, came at *at*."""
        if loud:
            self._voice_began = self._voice_began if self._voiced else at
            self._voice_ended = at + TICK
            self._voiced += 1
        else:
            self._voiced = 0
        if self._voiced == _VOICED:
            self._heard_voice()

    def next_payload(self, at: float) -> bytes:
        """What to send at *at*, and what has become of the conversation by then."""
        if self._state is _State.ASKING:
            return self._say(at)
        if self._waited(at):
            self._end_turn(at)
        return SILENCE

    def _waited(self, at: float) -> bool:
        """Whether the agent has finished, or does not begin."""
        if self._state is _State.DONE:
            return False
        if self._state is _State.LISTENING:
            return at - self._voice_ended >= self._patience.quiet
        return at - self._since >= (self._patience.greeting if self._state is _State.GREETING else self._patience.reply)

    def _heard_voice(self) -> None:
        if self._state is _State.GREETING:
            self.greeted = True
            self._state = _State.LISTENING
        elif self._state is _State.WAITING:
            self.asked[-1].replied = self._voice_began
            leaves = not self._questions and not self._patience.hears_out
            self._state = _State.DONE if leaves else _State.LISTENING

    def _say(self, at: float) -> bytes:
        question = self._questions[-1]
        if self._sent == 0:
            self.asked.append(Asked(question, nan))
        index = int(question.speech_ends / TICK)
        if self._sent == min(index, len(question.payloads) - 1):
            # A phone sends 20 ms of speech when it has them all.
            self.asked[-1].speech_ended = at - TICK + question.speech_ends - index * TICK
        payload = question.payloads[self._sent]
        self._sent += 1
        if self._sent == len(question.payloads):
            self._questions.pop()
            self._sent = 0
            self._voiced = 0
            self._state, self._since = _State.WAITING, at
        return payload

    def _end_turn(self, at: float) -> None:
        if self.asked:
            self.asked[-1].ended = at
        self._voice_ended = nan
        self._state = _State.ASKING if self._questions else _State.DONE
