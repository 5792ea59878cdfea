"""One timeline a turn: marks on the leg's media clock, and the spans between them.

Prometheus, the database, the console and the benchmark read this and nothing else. An absent mark is an absent span.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum


class Mark(StrEnum):
    """Moments of a turn, in the order in which they usually happen.

    A reply that was begun on a likely end of the turn has its marks up to FIRST_AUDIO before TURN_ENDED.
    """

    SPEECH_STARTED = "speech_started"  # onset of the caller's speech
    SPEECH_ENDED = "speech_ended"  # true end of its energy, not the detector's later word
    PAUSE_FOUND = "pause_found"  # the detector has called it silence
    TRANSCRIBED = "transcribed"  # the text that the reply answers is known
    TURN_ENDED = "turn_ended"  # endpointing has decided that the caller is done
    ANSWER_FOUND = "answer_found"  # an approved answer matched
    LLM_STARTED = "llm_started"  # the request left for the language model
    FIRST_TOKEN = "first_token"  # noqa: S105 - a mark, not a secret
    FIRST_SENTENCE = "first_sentence"  # the first speakable piece of text is complete
    FIRST_AUDIO = "first_audio"  # the first synthesised or cached samples are here; before TURN_ENDED if speculated
    QUEUED = "queued"  # they were given to the leg
    REPLY_STARTED = "reply_started"  # the first sound of the reply went out on the wire
    REPLY_ENDED = "reply_ended"  # the last one did
    INTERRUPTED = "interrupted"  # the caller's onset that cut the reply
    SILENCED = "silenced"  # the leg confirmed that nothing plays any more


class AnswerKind(StrEnum):
    """Who decided the words of the reply."""

    GREETING = "greeting"
    APPROVED = "approved"
    LLM = "llm"
    FALLBACK = "fallback"
    PROMPT = "prompt"


SPANS: dict[str, tuple[Mark, Mark]] = {
    "pause": (Mark.SPEECH_ENDED, Mark.PAUSE_FOUND),
    "transcription": (Mark.SPEECH_ENDED, Mark.TRANSCRIBED),
    "endpointing": (Mark.SPEECH_ENDED, Mark.TURN_ENDED),
    "answer_lookup": (Mark.TRANSCRIBED, Mark.ANSWER_FOUND),
    "llm_first_token": (Mark.LLM_STARTED, Mark.FIRST_TOKEN),
    "llm_first_sentence": (Mark.LLM_STARTED, Mark.FIRST_SENTENCE),
    "tts_first_audio": (Mark.FIRST_SENTENCE, Mark.FIRST_AUDIO),
    "held": (Mark.FIRST_AUDIO, Mark.QUEUED),
    "playout": (Mark.QUEUED, Mark.REPLY_STARTED),
    "voice_to_voice": (Mark.SPEECH_ENDED, Mark.REPLY_STARTED),
    "reply": (Mark.REPLY_STARTED, Mark.REPLY_ENDED),
    "barge_in": (Mark.INTERRUPTED, Mark.SILENCED),
}


# The only one whose end may come before its beginning: a draft is kept over a noise, whose pause is transcribed later.
_AHEAD = "answer_lookup"
_QUESTION = re.compile(r"[^.!?]*\?")


@dataclass(slots=True)
class Turn:
    """What the caller said, what the agent answered, and when."""

    index: int
    caller_text: str = ""
    reply_text: str = ""
    heard_text: str = ""
    answer: AnswerKind | None = None
    marks: dict[Mark, float] = field(default_factory=dict)

    @property
    def rest(self) -> str:
        """The words of the reply that were voiced and not heard; what had not been voiced yet is not among them."""
        return " ".join(self.reply_text.split()[len(self.heard_text.split()) :])

    @property
    def asks(self) -> bool:
        """Whether the reply was cut in a question or behind one, so that a "yes" is an answer."""
        return _QUESTION.match(self.rest) is not None or "?" in self.heard_text

    def mark(self, mark: Mark, at: float) -> None:
        """Note *mark* at media-clock second *at*; the first note of a mark stands."""
        self.marks.setdefault(mark, at)

    def spans(self) -> dict[str, float]:
        """Seconds of each span whose two marks are there; 0 for an answer that was found ahead."""
        told = {
            name: self.marks[end] - self.marks[start]
            for name, (start, end) in SPANS.items()
            if start in self.marks and end in self.marks
        }
        return told | {_AHEAD: max(0.0, told[_AHEAD])} if _AHEAD in told else told
