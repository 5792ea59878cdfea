"""Streams of the ports, closed for certain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

T = TypeVar("T")


@asynccontextmanager
async def closing(stream: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """*stream*, closed at the end of the block, which aborts the work behind it.

    contextlib.aclosing for an AsyncIterator: the ports promise iterators, and nearly all of them are generators.
    """
    try:
        yield stream
    finally:
        if (aclose := getattr(stream, "aclose", None)) is not None:
            await aclose()
