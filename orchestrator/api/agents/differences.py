"""What is different between two definitions, place by place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from orchestrator.api.schemas import Told


class Difference(Told):
    """path: such as `answers.0.answer`; before, after: null where there is nothing."""

    path: str
    kind: Literal["added", "removed", "changed"]
    before: Any
    after: Any


def differences(before: object, after: object) -> list[Difference]:
    """Every value that was added, removed or changed, in the order of their paths."""
    old, new = dict(_values(before)), dict(_values(after))
    found = []
    for path in sorted(old.keys() | new.keys(), key=_order):
        if path not in old:
            found.append(Difference(path=".".join(path), kind="added", before=None, after=new[path]))
        elif path not in new:
            found.append(Difference(path=".".join(path), kind="removed", before=old[path], after=None))
        elif old[path] != new[path]:
            found.append(Difference(path=".".join(path), kind="changed", before=old[path], after=new[path]))
    return found


def _values(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    match value:
        case dict() if value:
            for name, inner in value.items():
                yield from _values(inner, (*path, str(name)))
        case list() if value:
            for index, inner in enumerate(value):
                yield from _values(inner, (*path, str(index)))
        case _:
            yield path, value


def _order(path: tuple[str, ...]) -> list[tuple[int, str]]:
    """Positions by number, names by letters."""
    return [(int(step), "") if step.isdigit() else (-1, step) for step in path]
