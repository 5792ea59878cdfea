"""The same engines in every placement."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from inference.placement import EngineSet, Terms, open_engines
from tests.contracts.reference import LOADER, ReferenceModels, reference_profile


@pytest_asyncio.fixture(params=["direct", "local", "ray"], scope="module", loop_scope="module")
async def engines(request: pytest.FixtureRequest) -> AsyncIterator[EngineSet]:
    terms = Terms(placement=request.param, ray="testing", loader=LOADER)
    async with open_engines(reference_profile(process="all"), ReferenceModels(), terms) as opened:
        yield opened
