"""How long a supervisor waits for what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. start: until the engines are loaded; pulse: between pings; answer: until a ping is answered; stop: for
    a clean end; restart, longest: first and longest wait before another start; steady: after so long, it is well again.

    misses: deadlines missed in a row after which the process is held to be stuck.
    """

    start: float = 180.0
    pulse: float = 2.0
    answer: float = 10.0
    stop: float = 5.0
    restart: float = 0.2
    longest: float = 15.0
    steady: float = 60.0
    misses: int = 2
