"""Which of an engine's cache slots serves which conversation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Slot:
    index: int
    conversation: str = ""
    requests: int = 0


@dataclass(slots=True)
class Slots:
    """Pins each conversation to one slot, so that calls never evict each other's prompts while there is room.

    A conversation without a slot takes the one that has been idle longest. When all are busy it shares the least busy
    one, where it waits its turn.
    """

    count: int
    _by_age: list[_Slot] = field(init=False)  # longest unused first

    def __post_init__(self) -> None:
        self._by_age = [_Slot(index) for index in range(self.count)]

    @property
    def requests(self) -> int:
        """Requests under way, over all slots."""
        return sum(slot.requests for slot in self._by_age)

    @contextmanager
    def held(self, conversation: str) -> Iterator[int]:
        """The index of the slot of *conversation*, busy meanwhile; "" is nobody's, and its slot is the first to go."""
        slot = self._slot_of(conversation)
        slot.conversation = conversation
        slot.requests += 1
        try:
            yield slot.index
        finally:
            slot.requests -= 1
            self._by_age.remove(slot)
            self._by_age.insert(len(self._by_age) if slot.conversation else 0, slot)

    def _slot_of(self, conversation: str) -> _Slot:
        if conversation:
            for slot in self._by_age:
                if slot.conversation == conversation:
                    return slot
        return min(self._by_age, key=lambda slot: slot.requests)
