"""`offhook call`: phone an agent, ask recorded questions, and see how long each answer took at the caller's ear."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from orchestrator.addresses import hindrance
from orchestrator.core.errors import ConfigError, LegError
from telephony.leg.messages import DTMF_DIGITS

if TYPE_CHECKING:
    from benchmarks.caller import MeasuredCall, MeasuredTurn
    from benchmarks.conversation import Line


def call(  # noqa: PLR0913, PLR0917 - one parameter an option
    uri: Annotated[str, typer.Argument(help="Whom to call, such as sip:demo@127.0.0.1:5060.")],
    wav: Annotated[list[Path], typer.Option("--wav", help="A question, 16-bit WAV of any rate; once for each.")],
    codec: Annotated[str, typer.Option(help="PCMU, PCMA or G722.")] = "PCMU",
    transport: Annotated[str, typer.Option(help="udp or tcp.")] = "udp",
    caller: Annotated[str, typer.Option(help="The number or name to call from.")] = "offhook-call",
    user: Annotated[str | None, typer.Option(help="User for digest authentication.")] = None,
    password: Annotated[str, typer.Option(envvar="OFFHOOK_CALL_PASSWORD", help="Its password.")] = "",
    proxy: Annotated[str | None, typer.Option(help="A SIP URI to send the call through.")] = None,
    bind: Annotated[str, typer.Option(help="The local address to call from.")] = "127.0.0.1",
    over: Annotated[
        float | None, typer.Option(help="Talk over each reply, this many seconds after it begins.", min=0.0)
    ] = None,
    keys: Annotated[str, typer.Option(help="Keys to press after the last question: 0 to 9, *, #, A to D.")] = "",
    quiet: Annotated[float, typer.Option(help="Seconds of silence after which the agent has finished.", min=0.1)] = 1.5,
    recording: Annotated[
        Path | None, typer.Option(help="Where to keep the call: stereo WAV, left sent, right heard.")
    ] = None,
    as_json: Annotated[Path | None, typer.Option("--json", help="Where to write the figures.")] = None,
) -> None:
    """Call an agent with recorded questions; exits 1 when the call failed or a question got no reply."""
    # The phone needs PJSIP: a machine without it can still run every other command.
    from benchmarks.caller import measured_call  # noqa: PLC0415
    from benchmarks.conversation import Manners  # noqa: PLC0415
    from telephony.sip.caller import Credentials, Dialling, Phone  # noqa: PLC0415

    console = Console()
    try:
        _refuse_unusable(bind, keys)
        lines = _lines(wav, over, keys)
        known = Credentials(user, password) if user else None
        # The command line gives plain text; Dialling says what is accepted.
        dialling = Dialling(
            uri=uri,
            caller=caller,
            codec=codec.upper(),  # type: ignore[arg-type]
            transport=transport.lower(),  # type: ignore[arg-type]
            credentials=known,
            proxy=proxy,
        )
        with Phone(bind) as phone:
            measured = measured_call(phone, dialling, lines, Manners(quiet=quiet))
    except (LegError, ConfigError) as error:
        console.print(str(error), style="red", highlight=False, soft_wrap=True, markup=False)
        raise typer.Exit(1) from error
    if recording is not None:
        measured.placed.save(recording)
    if as_json is not None:
        as_json.write_text(json.dumps(figures(measured), indent=2) + "\n")
    console.print(table(measured))
    if not measured.succeeded:
        console.print(_fault(measured), style="red", highlight=False)
        raise typer.Exit(1)


def table(measured: MeasuredCall) -> Table:
    """One row a turn."""
    shown = Table("question", "asked at", "spoke for", "voice to voice", "reply", "silenced in", box=None)
    for turn in measured.turns:
        shown.add_row(turn.line.name, *_row(turn))
    return shown


def figures(measured: MeasuredCall) -> dict[str, object]:
    """The call in JSON values; times in seconds on the recording's clock."""
    return {
        "hung_up_by": measured.placed.hung_up_by,
        "codec": measured.placed.codec,
        "packets_lost": measured.placed.packets_lost,
        "greeting_s": None if measured.greeting is None else [measured.greeting.start, measured.greeting.end],
        "turns": [_turn_figures(turn) for turn in measured.turns],
    }


def _turn_figures(turn: MeasuredTurn) -> dict[str, object]:
    told: dict[str, object] = {"question": turn.line.name, "barge_in_s": turn.barge_in}
    if (sound := turn.sound) is not None:
        told |= {
            "onset_s": sound.onset,
            "speech_ended_s": sound.speech_ended,
            "reply_started_s": sound.reply_started,
            "reply_ended_s": sound.reply_ended,
            "behind_wire_s": None if turn.waited is None else round(turn.waited, 3),
            "cut_in": sound.cut_in,
            "voice_to_voice_s": sound.voice_to_voice,
        }
    return told


def _row(turn: MeasuredTurn) -> tuple[str, ...]:
    sound = turn.sound
    if sound is None:
        return ("", "", "", "", "")
    latency = "cut in" if sound.cut_in else _seconds(sound.voice_to_voice, "no reply")
    heard = sound.reply_ended - sound.reply_started if sound.reply_ended and sound.reply_started else None
    return (
        _seconds(sound.onset),
        _seconds(sound.speech_ended - sound.onset),
        latency,
        _seconds(heard),
        _seconds(turn.barge_in),
    )


def _seconds(value: float | None, absent: str = "") -> str:
    return absent if value is None else f"{value:.2f} s"


def _fault(measured: MeasuredCall) -> str:
    silent = [turn.line.name for turn in measured.turns if not turn.answered]
    if silent:
        return f"no reply to: {', '.join(silent)}"
    return "the agent hung up" if measured.placed.hung_up_by == "agent" else "the call lasted too long"


def _refuse_unusable(bind: str, keys: str) -> None:
    """Raises ConfigError for what PJSIP would end the process for."""
    unknown = sorted(set(keys) - set(DTMF_DIGITS))
    if unknown:
        raise ConfigError(f"--keys: {', '.join(unknown)}: no such key; accepted are 0 to 9, *, # and A to D")
    if found := hindrance("UDP", bind, 0):
        raise ConfigError(f"--bind: cannot call from {bind}: {found}")


def _lines(questions: list[Path], over: float | None, keys: str) -> list[Line]:
    from benchmarks.conversation import Line  # noqa: PLC0415
    from benchmarks.sound_files import read_wav  # noqa: PLC0415

    lines = [Line(path.stem, read_wav(path), over=over if number else None) for number, path in enumerate(questions)]
    return [*lines, Line(f"keys {keys}", np.zeros(0, dtype=np.int16), keys=keys)] if keys else lines
