"""The first words on a leg's socket: who calls, and whether an agent answers."""

from __future__ import annotations

import asyncio

from orchestrator.core.errors import CarrierRejected, Hangup, LegError
from telephony.leg.messages import Accept, Answered, Failed, HungUp, Invite, Reject, Report, decode_report
from telephony.leg.transport import Transport

INVITE_DEADLINE = 5.0
RING_DEADLINE = 120.0  # RFC 3261 timer C allows three minutes; nobody lets a phone ring for two


async def receive_invite(transport: Transport, deadline: float = INVITE_DEADLINE) -> Invite:
    """Who calls. Raises LegError when the gateway says something else or nothing within *deadline* seconds."""
    report = await _report(transport, deadline)
    if not isinstance(report, Invite):
        raise LegError(f"a leg begins with an invite, not with {report.type!r}")
    return report


async def reject(transport: Transport, status: int, reason: str, retry_after: int | None = None) -> None:
    """Refuse the call with a SIP *status*, such as 404 for an unknown number; *retry_after* seconds it may be taken."""
    await transport.send_text(Reject(status=status, reason=reason, retry_after=retry_after).encode())


async def accept(transport: Transport, deadline: float = RING_DEADLINE, *, trunk: str | None = None) -> Answered:
    """Answer an inbound call, or let an outbound one ring, until media runs. trunk: one of the invite's others.

    Raises Hangup when the caller gives up first, CarrierRejected when an outbound call is refused, LegError when
    nothing is decided within *deadline* seconds.
    """
    await transport.send_text(Accept(trunk=trunk).encode())
    match await _report(transport, deadline):
        case Answered() as answered:
            return answered
        case HungUp(reason=reason):
            raise Hangup(f"the call ended before it was answered: {reason}")
        case Failed(status=status, reason=reason):
            raise CarrierRejected(status, reason)
        case other:
            raise LegError(f"expected answered, got {other.type!r}")


async def _report(transport: Transport, deadline: float) -> Report:
    try:
        async with asyncio.timeout(deadline):
            message = await transport.receive()
    except TimeoutError as error:
        raise LegError(f"the gateway said nothing for {deadline:g} s") from error
    if isinstance(message, bytes):
        raise LegError("audio came before the call was answered")
    return decode_report(message)
