"""One call: what is heard becomes turns, and each turn a reply that the caller may cut short."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import structlog

from orchestrator.calls.answering import Answering, Uttered
from orchestrator.calls.asides import is_aside
from orchestrator.calls.chronicle import Chronicle
from orchestrator.calls.consent import Consent
from orchestrator.calls.dead_air import Waits
from orchestrator.calls.ear import Ear, EarEngines
from orchestrator.calls.echoes import Echoes
from orchestrator.calls.heard import EarEvent, Partial, SpeechStarted, TurnEnded, TurnLikely
from orchestrator.calls.history import History
from orchestrator.calls.lookup import Lookup
from orchestrator.calls.moods import Moods
from orchestrator.calls.mouth import Mouth, ReplyEnded
from orchestrator.calls.prefill import Prefill
from orchestrator.calls.remembering import remember
from orchestrator.calls.setup import CallSetup
from orchestrator.calls.silence import SilenceWatch
from orchestrator.calls.speculation import Outcome, Speculation
from orchestrator.calls.turns import Turns
from orchestrator.core.errors import EngineError
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


class CallSession:
    """Conducts one call: it alone decides what is said to what is heard.

    It owns the parts of the call, and each piece of the call's state is in one of them.
    """

    def __init__(self, call_id: UUID, leg: CallLeg, setup: CallSetup) -> None:
        self._call_id = call_id
        self._leg = leg
        self._setup = setup
        self._phrases = setup.agent.agent.phrases
        self._history = History(system_message(setup.agent.agent))
        self._chronicle = Chronicle(call_id, setup.recorder, leg.now)
        self._silence = SilenceWatch(setup.settings.silence_after, self._ask_whether_there)
        self._turns = Turns(self._history, self._chronicle)
        self._failures = 0
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
        self._moods = Moods(group, engines.sentiment, self._chronicle)
        self._prefill = Prefill(group, self._answering.prefill)
        self._mouth = Mouth(group, self._leg, self._answering.filler, self._chronicle, self._end_reply)
        self._echoes = Echoes(self._mouth.words_since, self._setup.agent.reading, self._mouth.asks, self._chronicle)
        self._speculation = Speculation(
            group, self._answering.reply, self._leg.now, self._setup.guard, self._speculated
        )
        hearing = self._setup.hearing
        hears = EarEngines(
            engines.vad,
            engines.recognizer,
            engines.turns,
            engines.llm,
            lambda text: lookup.likeness(self._turns.text(text)),
        )
        self._ear = Ear(group, hears, hearing)
        self._chronicle.enter(CallState.GREETING)
        self._consent = Consent(group, self._setup, self._call_id, self._chronicle, self._leg.now)
        self._open(self._turns.new(), self._consent.open())
        remembering = group.create_task(self._remember(), name="memory")
        time_up = group.create_task(self._time_up(), name="time up")
        try:
            async with closing(self._ear.listen(self._leg.incoming())) as events:
                async for event in events:
                    await self._on(event)
        finally:
            # Its place is that of all calls.
            self._speculation.drop()
        time_up.cancel()
        remembering.cancel()
        await self._mouth.stop()
        if (unanswered := self._turns.take_interrupted().unanswered) is not None:
            self._keep(unanswered, "")
        self._prefill.stop()
        self._moods.stop()
        lookup.stop()
        self._silence.stop()  # keeping a turn began to count

    async def _remember(self) -> None:
        """Know who calls before the language model reads how the conversation begins."""
        if self._setup.recall is not None:
            await remember(self._setup.recall, self._history, self._chronicle)
        self._prefill.begin()

    async def _on(self, event: EarEvent) -> None:
        match event:
            case SpeechStarted():
                self._chronicle.happened("speech_started", {"onset": event.at})
                await self._hear_onset(event)
            case Partial():
                if own := (await self._echoes.own(event.text, event.at)).text:
                    self._chronicle.happened("partial", {"stable": event.stable, "unstable": event.unstable})
                    if (await self._echoes.own(event.stable, event.at)).text:
                        await self._interrupt(self._echoes.since)
                    self._speculation.contradict(self._turns.text(own))
            case TurnLikely():
                own = (await self._echoes.own(event.text, self._leg.now())).text
                if own and self._may_speculate():
                    self._speculation.prepare(self._turns.text(own))
            case TurnEnded():
                await self._hear_turn(event)
            case Dtmf():
                self._chronicle.happened("dtmf", {"digit": event.digit})
                await self._hear_key(event)

    async def _hear_onset(self, onset: SpeechStarted) -> None:
        """Something sounds like the caller; where the agent's voice comes back, its words must tell that it is."""
        over = (reply := self._mouth.reply) is not None and reply.speech.sounding
        self._echoes.begin(onset, over=over)
        if not over or not self._echoes.expected:
            await self._interrupt(onset.at)

    async def _interrupt(self, onset: float) -> None:
        """The caller speaks: whatever the agent says or is about to say is dropped, but for its last words."""
        self._silence.stop()
        reply = self._mouth.reply
        if reply is None or reply.last is not None or self._consent.announcing:
            return
        self._turns.interrupt(reply.turn, onset, audible=reply.speech.audible)
        await self._mouth.stop()
        self._silence.stop()  # settling the reply began to count
        self._chronicle.enter(CallState.LISTEN)

    async def _hear_turn(self, ended: TurnEnded) -> None:
        if ended.failure is None and not ended.hung_up:
            self._setup.guard.waited(ended.transcribed - ended.pause_found)
        ended = await self._echoes.taken_out(ended)
        if ended.text or ended.failure is not None:
            await self._interrupt(self._echoes.since)
        if self._mouth.is_speaking():
            return  # the last words of the call are being said, or nobody spoke over the agent
        unanswered, cut = self._turns.take_interrupted()
        if not ended.text and ended.failure is None and unanswered is None:
            # A noise: silence never becomes text, and what it cut off is said after all.
            self._speculation.drop()
            self._silence.begin()
            if cut is not None and not ended.hung_up:
                self._resume(cut)
            return
        aside = (
            cut is not None
            and unanswered is None
            and not self._consent.pending  # a yes is no mere assent here
            and await is_aside(self._setup, cut, ended)
        )
        if self._mouth.is_speaking():  # the time was up meanwhile
            return
        if aside and cut is not None:
            self._chronicle.happened("aside", {"turn": cut.index})
            self._speculation.drop()
            self._resume(cut)
            return
        self._silence.answered()
        turn = self._turns.hear(ended, unanswered)
        if ended.hung_up:
            self._keep(turn, "")
        elif ended.failure is not None:
            self._speculation.drop()
            self._fail(turn, ended.failure)
        else:
            self._chronicle.enter(CallState.PROCESS)
            if self._consent.pending and (texts := self._consent.hear(turn.caller_text)):
                self._open(turn, texts)
            else:
                self._answer(turn)

    async def _hear_key(self, key: Dtmf) -> None:
        """A key answers one question only: whether the call may be recorded."""
        if not self._consent.pending or self._says_goodbye() or not (texts := self._consent.press(key.digit)):
            return
        await self._interrupt(key.at)
        if self._mouth.is_speaking():  # the time was up meanwhile
            return
        self._turns.take_interrupted()
        self._speculation.drop()
        self._silence.answered()
        self._open(self._turns.new(), texts)

    def _open(self, turn: Turn, texts: tuple[str, ...]) -> None:
        """Say what comes before the conversation: the greeting last, once it is known what becomes of the call."""
        waiting = self._consent.pending or self._consent.announcing
        self._say(turn, AnswerKind.PROMPT if waiting else AnswerKind.GREETING, *texts)

    def _says_goodbye(self) -> bool:
        return (reply := self._mouth.reply) is not None and reply.last is not None

    def _may_speculate(self) -> bool:
        return self._setup.settings.speculate and not self._mouth.is_speaking() and not self._consent.pending

    def _answer(self, turn: Turn) -> None:
        """Speak the reply to *turn*: the one that was begun for these words, if there is one."""
        if (draft := self._speculation.take(turn.caller_text)) is None:
            self._begin(turn, self._answering.reply(turn))
            return
        drafted, reply = draft
        drafted.index = turn.index
        drafted.marks = turn.marks | drafted.marks
        self._begin(drafted, reply)

    def _resume(self, cut: Turn) -> None:
        """Say what a sound of the caller's kept them from hearing."""
        rest = cut.rest
        if rest and cut.answer is not None:
            self._chronicle.happened("resumed", {"turn": cut.index})
            self._say(self._turns.new(), cut.answer, rest)

    def _ask_whether_there(self, times: int) -> None:
        if self._consent.pending:
            self._silence.answered()  # this is no question whether they are there
            self._open(self._turns.new(), self._consent.silence())
        elif times <= self._setup.settings.silence_prompts:
            self._say(self._turns.new(), AnswerKind.PROMPT, self._phrases.still_there)
        else:
            self._say(self._turns.new(), AnswerKind.PROMPT, self._phrases.nobody_there, last=EndReason.SILENCE)

    async def _time_up(self) -> None:
        """End a call that has lasted long enough, politely."""
        await asyncio.sleep(self._setup.settings.longest)
        if self._says_goodbye():
            return
        self._speculation.drop()
        while self._mouth.is_speaking():
            await self._mouth.stop()
        self._say(self._turns.new(), AnswerKind.PROMPT, self._phrases.time_up, last=EndReason.TIME_UP)

    def _say(self, turn: Turn, kind: AnswerKind, *texts: str, last: EndReason | None = None) -> None:
        turn.answer = kind
        self._begin(turn, self._answering.say(turn, *texts), last)

    def _fail(self, turn: Turn, error: EngineError) -> None:
        """Speak a phrase that needs no engine; after too many failures, goodbye."""
        self._chronicle.happened("engine_failed", {"engine": error.engine, "error": type(error).__name__})
        log.warning("turn_failed", call=str(self._call_id), engine=error.engine, error=error.message)
        self._failures += 1
        if self._failures < self._setup.settings.failures:
            self._say(turn, AnswerKind.FALLBACK, self._phrases.trouble)
        else:
            self._say(turn, AnswerKind.FALLBACK, self._phrases.goodbye, last=EndReason.ENGINE_FAILED)

    def _begin(self, turn: Turn, audio: AsyncIterator[Uttered], last: EndReason | None = None) -> None:
        self._silence.stop()
        settings = self._setup.settings
        waiting = turn.caller_text and last is None
        patience = max(_LEAST_PATIENCE, settings.answer_within - self._turns.waited(self._leg.now()))
        waits = Waits(settings.filler_after if waiting else None, patience, settings.answer_within)
        self._mouth.begin(turn, audio, waits, last)

    def _end_reply(self, ended: ReplyEnded) -> None:
        """Settle the turn with what was really heard, and say what a failure leaves to be said."""
        if self._consent.announcing and not ended.stopped and ended.last is None:
            texts = self._consent.announced(heard=Mark.REPLY_ENDED in ended.turn.marks)
            self._settle(ended)
            self._open(self._turns.new(), texts)
            return
        if ended.failure is not None and ended.last is None and not ended.heard:
            self._fail(ended.turn, ended.failure)
            return
        self._settle(ended)
        if ended.stopped:
            return
        if ended.last is not None:
            self._ended_by = ended.last
        elif ended.failure is not None:
            self._fail(self._turns.new(), ended.failure)
        else:
            self._prefill.begin()

    def _settle(self, ended: ReplyEnded) -> None:
        """Keep the turn of a reply that is over, unless the caller goes on with it."""
        turn = ended.turn
        if self._turns.goes_on(turn):
            self._chronicle.happened("turn_continued", {"turn": turn.index})
            return
        if turn.answer in _ASKING:
            self._ear.expect(self._setup.agent.agent.expected_after(turn.reply_text))
        self._keep(turn, ended.heard)
        if turn.heard_text and turn.answer in {AnswerKind.APPROVED, AnswerKind.LLM}:
            self._failures = 0

    def _keep(self, turn: Turn, heard: str) -> None:
        """*turn* is over: nobody speaks, and *heard* was heard of its reply."""
        self._turns.keep(turn, heard)
        self._moods.take(turn)
        self._chronicle.enter(CallState.LISTEN)
        self._silence.begin()

    def _speculated(self, outcome: Outcome, seconds: float) -> None:
        self._chronicle.happened("speculated", {"outcome": outcome, "seconds": round(seconds, 3)})
