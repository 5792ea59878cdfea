"""A provider that does not come to an end is not waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from orchestrator.access.oidc.web import BoundedWeb
from orchestrator.core.errors import ApiError
from tests.integration.api.serving import served


async def test_a_provider_that_answers_a_byte_at_a_time_is_given_up() -> None:
    asked = asyncio.Event()

    async def drops() -> AsyncIterator[bytes]:
        asked.set()
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    async def slow(request: Request) -> StreamingResponse:
        return StreamingResponse(drops())

    async with served(Starlette(routes=[Route("/", slow)])) as url:
        with pytest.raises(ApiError) as refused:
            await BoundedWeb(seconds=0.3).get(url)
    assert asked.is_set()
    assert (refused.value.status, refused.value.code) == (502, "provider_unreachable")
