"""Whether the machine has room: for work that may be thrown away, and for one more caller."""

from __future__ import annotations

from dataclasses import dataclass, field

# Share of the newest wait in the running mean: it forgets within about five turns.
_NEWEST = 0.3


@dataclass(slots=True)
class LoadGuard:
    """One for all calls of a process. It closes when the recogniser falls behind, and opens when it has caught up.

    While it is closed no draft begins, and no call joins others where it is known how many the machine bears
    (orchestrator.calls.supervisor).

    drafts: speculative replies at a time; slow, quick: seconds from a pause to its words, as a running mean over all
    calls, at which it closes and opens again. On the two cores of docs/benchmarks.md a lone call waits 0.15 to 0.3 s.
    """

    drafts: int = 4
    slow: float = 0.6
    quick: float = 0.4
    under_way: int = 0
    closed: bool = False
    _wait: float = field(default=0.0, repr=False)

    def admit(self) -> bool:
        """Whether one more draft may begin; if so, it counts until done()."""
        if self.closed or self.under_way >= self.drafts:
            return False
        self.under_way += 1
        return True

    def done(self) -> None:
        """A draft has been spoken or dropped."""
        self.under_way -= 1

    def waited(self, seconds: float) -> None:
        """The words before a pause took *seconds* to be known."""
        self._wait += _NEWEST * (seconds - self._wait)
        self.closed = self._wait > (self.quick if self.closed else self.slow)

    def forget(self) -> None:
        """No call is left: how long the last ones waited says nothing of the next."""
        self._wait = 0.0
        self.closed = False
