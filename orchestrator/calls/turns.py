"""The turns of one call: what the caller says in each, which of them go on, and how they are kept."""

from __future__ import annotations

from typing import NamedTuple

from orchestrator.calls.chronicle import Chronicle
from orchestrator.calls.heard import TurnEnded
from orchestrator.calls.history import History
from orchestrator.core.turn import Mark, Turn


class Interrupted(NamedTuple):
    """What the caller's latest words broke into.

    unanswered: the turn that they go on with, since nothing of its reply was heard; cut: the one whose reply they cut.
    """

    unanswered: Turn | None
    cut: Turn | None


class Turns:
    """Opens the turns, and keeps them in *history* and *chronicle* once they are over. Times are media seconds."""

    def __init__(self, history: History, chronicle: Chronicle) -> None:
        self._history = history
        self._chronicle = chronicle
        self._opened = 0
        self._unanswered: Turn | None = None
        self._cut: Turn | None = None
        self._last_words: TurnEnded | None = None
        self._waiting_since: float | None = None

    def new(self) -> Turn:
        """The next one, in which nothing has been said yet."""
        turn = Turn(self._opened)
        self._opened += 1
        return turn

    def interrupt(self, turn: Turn, at: float, *, audible: bool) -> None:
        """The caller speaks, from *at* on, into the reply of *turn*, of which something was heard if *audible*."""
        if audible:
            turn.mark(Mark.INTERRUPTED, at)
            self._chronicle.happened("barge_in", {"turn": turn.index})
        if audible or not turn.caller_text:
            self._cut = turn
        else:
            # Nothing of the reply was heard: the caller is still in the same turn.
            self._unanswered = turn

    def goes_on(self, turn: Turn) -> bool:
        """Whether the caller is still in *turn*."""
        return self._unanswered is turn

    def text(self, latest: str) -> str:
        """*latest* behind what the caller has said before in the same turn."""
        before = self._unanswered.caller_text if self._unanswered is not None else ""
        return f"{before} {latest}".strip()

    def take_interrupted(self) -> Interrupted:
        """What was interrupted since this was last asked; whoever asks decides what becomes of it."""
        interrupted = Interrupted(self._unanswered, self._cut)
        self._unanswered = self._cut = None
        return interrupted

    def hear(self, ended: TurnEnded, unanswered: Turn | None) -> Turn:
        """The turn that ended with *ended*: *unanswered* gone on, or a new one. The caller waits from now on."""
        turn = Turn(unanswered.index, unanswered.caller_text) if unanswered is not None else self.new()
        turn.caller_text = f"{turn.caller_text} {ended.text}".strip()
        turn.marks = ended.marks() if unanswered is None else _continued_marks(unanswered, ended)
        if ended.text or unanswered is None:
            self._last_words = ended
        if self._waiting_since is None:
            self._waiting_since = ended.ended
        return turn

    def waited(self, now: float) -> float:
        """Seconds that the caller has waited for something to be said, through however many attempts."""
        return 0.0 if self._waiting_since is None else now - self._waiting_since

    def keep(self, turn: Turn, heard: str) -> None:
        """*turn* is over, and *heard* was heard of its reply: no more than that is remembered."""
        turn.heard_text = heard
        self._waiting_since = None
        if turn.caller_text:
            if self._last_words is not None:
                turn.marks[Mark.SPEECH_ENDED] = self._last_words.energy_ended()
                self._last_words = None
            self._history.said(turn.caller_text)
        self._history.heard(heard)
        self._chronicle.keep(turn)


def _continued_marks(before: Turn, ended: TurnEnded) -> dict[Mark, float]:
    """Of a turn that goes on: a noise leaves its timeline as it was, more words end it later."""
    marks = ended.marks()
    kept = (Mark.SPEECH_STARTED,) if ended.text else tuple(marks)
    return marks | {mark: before.marks[mark] for mark in kept if mark in before.marks}
