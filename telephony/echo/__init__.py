"""Keeps an agent from hearing itself.

    guard = EchoGuard()
    heard = guard.hear(near, far)        # every 20 ms: what came in, and what went out in the same tick

guard     what passes, and what is replaced by comfort noise
path      the way of the echo as an adaptive filter
search    where in time that way begins
doubt     whether a voice may still be an echo that nobody knows yet
levels    bands, the line's noise, and how loud an echo can be at most
"""

from telephony.echo.guard import EchoGuard

__all__ = ["EchoGuard"]
