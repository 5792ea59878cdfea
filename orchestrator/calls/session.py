"""One call: what is heard becomes turns, and each turn a reply that the caller may cut short."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from orchestrator.calls.answering import Answering, Uttered
from orchestrator.calls.asides import is_aside
from orchestrator.calls.chronicle import Chronicle
from orchestrator.calls.dead_air import Waits, without_dead_air
from orchestrator.calls.ear import Ear, EarEngines
from orchestrator.calls.heard import EarEvent, Partial, SpeechStarted, TurnEnded, TurnLikely
from orchestrator.calls.history import History
from orchestrator.calls.lookup import Lookup
from orchestrator.calls.setup import CallSetup
from orchestrator.calls.silence import SilenceWatch
from orchestrator.calls.speculation import Outcome, Speculation
from orchestrator.calls.speech import Speech
from orchestrator.core.errors import BadOutput, EngineError, Hangup
from orchestrator.core.events import CallState, EndReason
from orchestrator.core.ports import CallLeg, Dtmf
from orchestrator.core.streams import closing
from orchestrator.core.turn import AnswerKind, Mark, Turn
from orchestrator.dialogue.prompting import system_message

log = structlog.get_logger(__name__)

# Replies after which the caller answers something else than before.
_ASKING = frozenset({AnswerKind.GREETING, AnswerKind.APPROVED, AnswerKind.LLM})
# An answer that is nearly there is better than an apology.
_LEAST_PATIENCE = 1.0


@dataclass(slots=True)
class _Reply:
    """A reply under way. last: why the call ends after it, whatever the caller says."""

    turn: Turn
    speech: Speech
    last: EndReason | None = None
    task: asyncio.Task[None] = field(init=False)


class CallSession:
    """The state of one call, and the only owner of it."""

    def __init__(self, call_id: UUID, leg: CallLeg, setup: CallSetup) -> None:
        self._call_id = call_id
        self._leg = leg
        self._setup = setup
        self._phrases = setup.agent.agent.phrases
        self._history = History(system_message(setup.agent.agent))
        self._chronicle = Chronicle(call_id, setup.recorder, leg.now)
        self._silence = SilenceWatch(setup.settings.silence_after, self._ask_whether_there)
        self._turns = 0
        self._failures = 0
        self._reply: _Reply | None = None
        self._unanswered: Turn | None = None
        self._cut: Turn | None = None
        self._waiting_since: float | None = None
        self._warming: asyncio.Task[None] | None = None
        self._last_words: TurnEnded | None = None
        self._ended_by = EndReason.CALLER_HANGUP

    async def run(self) -> EndReason:
        """Talk until either side hangs up; says which. Cancelling it ends the call's tasks, not the leg."""
        try:
            async with asyncio.TaskGroup() as group:
                await self._talk(group)
        finally:
            self._silence.stop()
        self._chronicle.enter(CallState.END)
        return self._ended_by

    async def _talk(self, group: asyncio.TaskGroup) -> None:
        engines = self._setup.engines
        self._group = group
        lookup = Lookup(group, self._setup.agent.answers)
        self._answering = Answering(
            self._setup.agent,
            lookup,
            engines.llm,
            engines.tts,
            self._history,
            self._leg.now,
            str(self._call_id),
            self._setup.settings.reply_tokens,
        )
        self._speculation = Speculation(
            group, self._answering.reply, self._leg.now, self._setup.guard, self._speculated
        )
        hearing = self._setup.settings.ear.of(self._setup.agent.agent)
        hears = EarEngines(
            engines.vad,
            engines.recognizer,
            engines.turns,
            engines.llm,
            lambda text: lookup.likeness(self._text_of_turn(text)),
        )
        self._ear = Ear(group, hears, hearing)
        self._chronicle.enter(CallState.GREETING)
        self._say(self._new_turn(), AnswerKind.GREETING, self._setup.agent.agent.greeting)
        self._start_warming()
        time_up = group.create_task(self._time_up(), name="time up")
        try:
            async with closing(self._ear.listen(self._leg.incoming())) as events:
                async for event in events:
                    await self._on(event)
        finally:
            # Its place is that of all calls.
            self._speculation.drop()
        time_up.cancel()
        await self._stop_reply()
        if self._unanswered is not None:
            self._keep(self._unanswered, "")
        if self._warming is not None:
            self._warming.cancel()

    async def _on(self, event: EarEvent) -> None:
        match event:
            case SpeechStarted():
                self._chronicle.happened("speech_started", {"onset": event.at})
                await self._hear_onset(event)
            case Partial():
                self._chronicle.happened("partial", {"stable": event.stable, "unstable": event.unstable})
                self._speculation.contradict(self._text_of_turn(event.text))
            case TurnLikely():
                if self._setup.settings.speculate and self._reply is None:
                    self._speculation.prepare(self._text_of_turn(event.text))
            case TurnEnded():
                await self._hear_turn(event)
            case Dtmf():
                self._chronicle.happened("dtmf", {"digit": event.digit})

    async def _hear_onset(self, onset: SpeechStarted) -> None:
        """The caller speaks: whatever the agent says or is about to say is dropped, but for its last words."""
        self._silence.stop()
        reply = self._reply
        if reply is None or reply.last is not None:
            return
        if reply.speech.audible:
            reply.turn.mark(Mark.INTERRUPTED, onset.at)
            self._chronicle.happened("barge_in", {"turn": reply.turn.index})
            self._cut = reply.turn
        elif reply.turn.caller_text:
            # Nothing of the reply was heard: the caller is still in the same turn.
            self._unanswered = reply.turn
        else:
            self._cut = reply.turn
        await self._stop_reply()
        self._silence.stop()  # settling the reply began to count
        self._chronicle.enter(CallState.LISTEN)

    async def _hear_turn(self, ended: TurnEnded) -> None:
        if ended.failure is None and not ended.hung_up:
            self._setup.guard.waited(ended.transcribed - ended.pause_found)
        if self._is_speaking():
            return  # the last words of the call are being said
        before, self._unanswered = self._unanswered, None
        cut, self._cut = self._cut, None
        if not ended.text and ended.failure is None and before is None:
            # A noise: silence never becomes text, and what it cut off is said after all.
            self._speculation.drop()
            self._silence.begin()
            if cut is not None and not ended.hung_up:
                self._resume(cut)
            return
        judge = self._setup.engines.interjections
        aside = cut is not None and before is None and await is_aside(judge, cut, ended)
        if self._is_speaking():  # the time was up meanwhile
            return
        if aside and cut is not None:
            self._chronicle.happened("aside", {"turn": cut.index})
            self._speculation.drop()
            self._resume(cut)
            return
        self._silence.answered()
        turn = Turn(before.index, before.caller_text) if before is not None else self._new_turn()
        turn.caller_text = f"{turn.caller_text} {ended.text}".strip()
        turn.marks = ended.marks() if before is None else _continued_marks(before, ended)
        if ended.text or before is None:
            self._last_words = ended
        if self._waiting_since is None:
            self._waiting_since = ended.ended
        if ended.hung_up:
            self._keep(turn, "")
        elif ended.failure is not None:
            self._speculation.drop()
            self._fail(turn, ended.failure)
        else:
            self._chronicle.enter(CallState.PROCESS)
            self._answer(turn)

    def _answer(self, turn: Turn) -> None:
        """Speak the reply to *turn*: the one that was begun for these words, if there is one."""
        if (draft := self._speculation.take(turn.caller_text)) is None:
            self._begin(_Reply(turn, self._speech(turn)), self._answering.reply(turn))
            return
        drafted, reply = draft
        drafted.index = turn.index
        drafted.marks = turn.marks | drafted.marks
        self._begin(_Reply(drafted, self._speech(drafted)), reply)

    def _text_of_turn(self, text: str) -> str:
        """*text* behind what the caller has said before in the same turn."""
        before = self._unanswered.caller_text if self._unanswered is not None else ""
        return f"{before} {text}".strip()

    def _resume(self, cut: Turn) -> None:
        """Say what a sound of the caller's kept them from hearing."""
        rest = cut.rest
        if rest and cut.answer is not None:
            self._chronicle.happened("resumed", {"turn": cut.index})
            self._say(self._new_turn(), cut.answer, rest)

    def _ask_whether_there(self, times: int) -> None:
        if times <= self._setup.settings.silence_prompts:
            self._say(self._new_turn(), AnswerKind.PROMPT, self._phrases.still_there)
        else:
            self._say(self._new_turn(), AnswerKind.PROMPT, self._phrases.nobody_there, last=EndReason.SILENCE)

    async def _time_up(self) -> None:
        """End a call that has lasted long enough, politely."""
        await asyncio.sleep(self._setup.settings.longest)
        if self._reply is not None and self._reply.last is not None:
            return
        self._speculation.drop()
        while self._reply is not None:
            await self._stop_reply()
        self._say(self._new_turn(), AnswerKind.PROMPT, self._phrases.time_up, last=EndReason.TIME_UP)

    def _say(self, turn: Turn, kind: AnswerKind, text: str, *, last: EndReason | None = None) -> None:
        turn.answer = kind
        self._begin(_Reply(turn, self._speech(turn), last), self._answering.say(turn, text))

    def _fail(self, turn: Turn, error: EngineError) -> None:
        """Speak a phrase that needs no engine; after too many failures, goodbye."""
        self._chronicle.happened("engine_failed", {"engine": error.engine, "error": type(error).__name__})
        log.warning("turn_failed", call=str(self._call_id), engine=error.engine, error=error.message)
        self._failures += 1
        if self._failures < self._setup.settings.failures:
            self._say(turn, AnswerKind.FALLBACK, self._phrases.trouble)
        else:
            self._say(turn, AnswerKind.FALLBACK, self._phrases.goodbye, last=EndReason.ENGINE_FAILED)

    def _begin(self, reply: _Reply, audio: AsyncIterator[Uttered]) -> None:
        self._silence.stop()
        self._reply = reply
        reply.task = self._group.create_task(self._speak(reply, audio), name=f"reply-{reply.turn.index}")

    async def _speak(self, reply: _Reply, audio: AsyncIterator[Uttered]) -> None:
        """The life of one reply. Whatever ends it, the turn is settled with what was really heard."""
        try:
            failure = await self._say_in_time(reply, audio)
        except Hangup:
            failure = None
        except asyncio.CancelledError:
            await reply.speech.silence()
            self._settle(reply)
            raise
        if failure is not None and reply.last is None and not reply.speech.heard():
            self._fail(reply.turn, failure)
            return
        self._settle(reply)
        if reply.last is not None:
            self._ended_by = reply.last
            await self._leg.hangup()
        elif failure is not None:
            self._fail(self._new_turn(), failure)
        else:
            self._start_warming()

    async def _say_in_time(self, reply: _Reply, audio: AsyncIterator[Uttered]) -> EngineError | None:
        """Speak *audio*; why that failed, if it did. Raises Hangup."""
        waiting = reply.turn.caller_text and reply.last is None
        settings = self._setup.settings
        waits = Waits(settings.filler_after if waiting else None, self._patience_left(), settings.answer_within)
        reply.speech.begun = self._respond
        try:
            await reply.speech.say(without_dead_air(audio, self._filler(reply.turn), waits))
        except EngineError as error:
            return error
        return None if Mark.QUEUED in reply.turn.marks else BadOutput("llm", "an empty reply")

    async def _filler(self, turn: Turn) -> AsyncIterator[Uttered]:
        self._chronicle.happened("filler", {"turn": turn.index})
        async with closing(self._answering.filler()) as pieces:
            async for uttered in pieces:
                yield uttered

    def _patience_left(self) -> float:
        """Seconds in which something must be heard: the caller may have been waiting through several attempts."""
        waited = 0.0 if self._waiting_since is None else self._leg.now() - self._waiting_since
        return max(_LEAST_PATIENCE, self._setup.settings.answer_within - waited)

    def _respond(self) -> None:
        """There is audio."""
        if self._chronicle.state is CallState.PROCESS:
            self._chronicle.enter(CallState.RESPOND)

    def _settle(self, reply: _Reply) -> None:
        """The reply is over: keep the turn, and in the history only what was heard of it."""
        self._reply = None
        if self._unanswered is reply.turn:
            self._chronicle.happened("turn_continued", {"turn": reply.turn.index})
            return
        if reply.turn.answer in _ASKING:
            self._ear.expect(self._setup.agent.agent.expected_after(reply.turn.reply_text))
        self._keep(reply.turn, reply.speech.heard())
        if reply.turn.heard_text and reply.turn.answer in {AnswerKind.APPROVED, AnswerKind.LLM}:
            self._failures = 0

    def _keep(self, turn: Turn, heard: str) -> None:
        """Record *turn*, of whose reply *heard* was heard."""
        turn.heard_text = heard
        self._waiting_since = None
        if turn.caller_text:
            if self._last_words is not None:
                turn.marks[Mark.SPEECH_ENDED] = self._last_words.energy_ended()
                self._last_words = None
            self._history.said(turn.caller_text)
        self._history.heard(heard)
        self._chronicle.keep(turn)
        self._chronicle.enter(CallState.LISTEN)
        self._silence.begin()

    async def _stop_reply(self) -> None:
        if (reply := self._reply) is not None:
            reply.task.cancel()
            await asyncio.wait([reply.task])
            if self._reply is reply:  # cancelled before its first step
                self._settle(reply)

    def _start_warming(self) -> None:
        """Prefill the language model while nobody waits for it."""
        if self._warming is None or self._warming.done():
            self._warming = self._group.create_task(self._warm(), name="warm")

    async def _warm(self) -> None:
        try:
            await self._answering.prefill()
        except EngineError as error:  # the next turn is slower, no more
            log.warning("prefill_failed", engine=error.engine, error=error.message)

    def _speech(self, turn: Turn) -> Speech:
        return Speech(self._group, self._leg, turn)

    def _new_turn(self) -> Turn:
        turn = Turn(self._turns)
        self._turns += 1
        return turn

    def _is_speaking(self) -> bool:
        return self._reply is not None

    def _speculated(self, outcome: Outcome, seconds: float) -> None:
        self._chronicle.happened("speculated", {"outcome": outcome, "seconds": round(seconds, 3)})


def _continued_marks(before: Turn, ended: TurnEnded) -> dict[Mark, float]:
    """Of a turn that goes on: a noise leaves its timeline as it was, more words end it later."""
    marks = ended.marks()
    kept = (Mark.SPEECH_STARTED,) if ended.text else tuple(marks)
    return marks | {mark: before.marks[mark] for mark in kept if mark in before.marks}
