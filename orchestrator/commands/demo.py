"""The first call of a fresh install: spoken questions over real SIP, then what was said and how fast."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from orchestrator.app import Running
from orchestrator.core.audio import joined
from orchestrator.core.ports import TextToSpeech
from orchestrator.core.streams import closing
from orchestrator.core.wav import write_wav
from orchestrator.demo import DEMO_QUESTIONS
from orchestrator.settings import Settings
from orchestrator.store.calls import CallHistory

_LEGEND = (
    "timeline: from the end of the question to the reply on the wire, by our clock, and the steps that lead there; "
    "at the caller: the same, as the caller's phone recorded it"
)
_SETTLED = 10.0  # seconds for the last records of a call to reach the database


@dataclass(frozen=True, slots=True)
class _Call:
    """A finished demo call. passed: every question was answered; latency: at the caller, one a question."""

    passed: bool
    latency: list[float | None]
    output: str


async def demo_call(product: Running, settings: Settings, *, once: bool) -> bool:
    """Phone *product* with the demo's questions and print the transcript and a latency table; whether all went well.

    Agents of somebody's own are not asked: the questions are for the demo's. once: nobody answers after this call.
    """
    console = Console()
    invitation = f"Call it yourself: point a softphone at {product.sip[0]}. Ctrl-C stops it."
    if settings.agents is not None:
        console.print("The demo's questions are for its own agent, and other agents are up: no call was made.")
        if not once:
            console.print(invitation, highlight=False, soft_wrap=True)
        return True
    caller = f"demo-{secrets.token_hex(4)}"
    console.print(f"Calling {product.sip[0]} with {len(DEMO_QUESTIONS)} spoken questions …", highlight=False)
    questions = [await _rendered(product.rendering, text, settings.data / "demo") for text in DEMO_QUESTIONS]
    call = await _placed(product.sip[0], caller, questions)
    history = await _recorded(product, caller)
    if history is None:
        console.print("The call left no record. The caller said:", call.output, style="red", markup=False)
        return False
    show(console, history, call.latency)
    if not call.passed:
        console.print(call.output, style="red", markup=False, highlight=False)
    if not once:
        console.print(f"\n{invitation}", highlight=False, soft_wrap=True)
    return call.passed


async def _rendered(voice: TextToSpeech, text: str, folder: Path) -> Path:
    """A WAV of *text*."""
    async with closing(voice.synthesize(text)) as frames:
        speech = joined([frame async for frame in frames])
    path = folder / f"{'-'.join(text.lower().rstrip('?').replace('.', '').split()[:6])}.wav"
    await asyncio.to_thread(write_wav, path, speech)
    return path


async def _placed(uri: str, caller: str, questions: list[Path]) -> _Call:
    """Run `offhook call` as a process of its own, as a stranger's phone would be."""
    figures = questions[0].with_name("figures.json")
    arguments = [option for path in questions for option in ("--wav", str(path))]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "orchestrator", "call", uri, "--caller", caller, *arguments, "--json", str(figures),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    return _Call(process.returncode == 0, await asyncio.to_thread(_latencies, figures), output.decode(errors="replace"))


def _latencies(figures: Path) -> list[float | None]:
    """Voice-to-voice seconds, one a question, None for an unanswered one; empty when there was no call."""
    if not figures.exists():
        return []
    told = json.loads(figures.read_text())
    figures.unlink()
    return [turn.get("voice_to_voice_s") for turn in told["turns"]]


async def _recorded(product: Running, caller: str) -> CallHistory | None:
    """The call from *caller*, once its end is in the database; None when it does not come."""
    try:
        async with asyncio.timeout(_SETTLED):
            while True:
                ended = [call for call in await product.calls.recent(10) if call.caller == caller and call.ended_at]
                if ended:
                    return await product.calls.history(ended[0].id)
                await asyncio.sleep(0.2)
    except TimeoutError:
        return None


def show(console: Console, history: CallHistory, latencies: Sequence[float | None]) -> None:
    """Print what was said and how long each answer took. latencies: seconds at the caller, one a question."""
    console.print("\nTranscript", style="bold")
    for line in history.transcript:
        console.print(
            f"  {line.start:6.2f}  {line.speaker:>6}  {line.text}", highlight=False, markup=False, soft_wrap=True
        )
    table = Table("turn", "answer", "end of turn", "words", "first audio", "timeline", "at the caller", box=None)
    answered = [turn for turn in history.turns if turn.caller_text and turn.voice_to_voice is not None]
    # Questions and turns only pair up when none was lost and none was heard as two.
    latency = latencies if len(latencies) == len(answered) else [None] * len(answered)
    for position, turn in enumerate(answered):
        first_audio = turn.spans.get("tts_first_audio")
        table.add_row(
            str(turn.index),
            str(turn.answer),
            _seconds(turn.spans.get("endpointing")),
            _seconds(turn.spans.get("llm_first_sentence") or turn.spans.get("answer_lookup")),
            _seconds(first_audio),
            _seconds(turn.voice_to_voice),
            _seconds(latency[position]),
        )
    console.print("\nLatency", style="bold")
    console.print(table)
    console.print(_LEGEND, style="dim", highlight=False, soft_wrap=True)
    if history.call.recorded:
        console.print(
            f"Recording: offhook recordings save {history.call.id}", highlight=False, markup=False, soft_wrap=True
        )


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s"
