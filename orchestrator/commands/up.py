"""`offhook up`: start everything, and run until Ctrl-C."""

from __future__ import annotations

import asyncio
import gc
import signal
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvloop
from rich.console import Console

from inference.registry import Registry
from orchestrator.commands.models import pull_all
from orchestrator.core.errors import VoiceError
from orchestrator.core.time_slice import PROMPT, ask_for_slices
from orchestrator.preflight import refuse_what_cannot_start
from orchestrator.settings import Settings, read_settings, unknown_variables
from orchestrator.telemetry.logs import configure_logging

log = structlog.get_logger(__name__)


def up(  # noqa: PLR0913, PLR0917 - one parameter an option
    data: Annotated[Path | None, typer.Option(help="Folder for database and recordings.")] = None,
    agents: Annotated[Path | None, typer.Option(help="Folder of agent definitions; the demo's when absent.")] = None,
    profile: Annotated[str | None, typer.Option(help="Which models run, and where: see `offhook models list`.")] = None,
    http_port: Annotated[int | None, typer.Option(help="Port of the API; 0 takes any.")] = None,
    sip_ports: Annotated[
        str | None, typer.Option(help="SIP ports, each with a gateway process of its own: 5060,5062.")
    ] = None,
    sip_bind: Annotated[str | None, typer.Option(help="Address that SIP and RTP listen on.")] = None,
    rtp_ports: Annotated[str | None, typer.Option(help="First and last RTP port: 10000-10999.")] = None,
    trunks: Annotated[Path | None, typer.Option(help="TOML file of SIP trunks.")] = None,
    calls: Annotated[
        int | None, typer.Option(help="Calls at once, over all SIP ports; as many as the gateways hold when absent.")
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Make one call with spoken questions first.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Stop after the demo call.")] = False,
) -> None:
    """Start the whole product on this machine: database, engines, SIP and API.

    Every option is also a setting in the environment, such as OFFHOOK_HTTP_PORT, and some settings are only there:
    docs/settings.md has them all.
    """
    configure_logging()
    ask_for_slices(PROMPT)
    settings = read_settings(
        data=data,
        agents=agents,
        profile=profile,
        http_port=http_port,
        sip_ports=sip_ports,
        sip_bind=sip_bind,
        rtp_ports=rtp_ports,
        trunks=trunks,
        calls=calls,
    )
    for variable in unknown_variables():
        log.warning("unknown_setting", variable=variable, hint="docs/settings.md lists the settings")
    registry = Registry(cache=settings.cache)
    refuse_what_cannot_start(settings, registry)
    pull_all(registry, registry.of_profile(registry.profile(settings.profile)), Console())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        raise typer.Exit(runner.run(_up(settings, demo=demo or once, once=once)))


async def _up(settings: Settings, *, demo: bool, once: bool) -> int:
    """Run until a signal, or the end of the demo call when *once*; the exit code."""
    # Engines and the phone are heavy to import: not before the command is known.
    from orchestrator.app import running  # noqa: PLC0415
    from orchestrator.commands.demo import demo_call  # noqa: PLC0415

    this = asyncio.current_task()
    assert this is not None

    def stop(number: signal.Signals) -> None:
        log.info("stopping", signal=number.name)
        this.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        async with running(settings) as product:
            # What was made so far stays: looking through it for garbage would hold up every call, for 75 ms at a time.
            gc.collect()
            gc.freeze()
            log.info("ready", api=product.api, sip=product.sip[0], calls=product.lines)
            passed = await demo_call(product, settings, once=once) if demo else True
            if not once:
                await asyncio.Event().wait()
            return 0 if passed else 1
    except asyncio.CancelledError:  # a signal, whatever was going on
        log.info("stopped")
        return 0
    except VoiceError as error:
        log.error("cannot_start", error=str(error))  # noqa: TRY400 - the message says it all
        return 2
