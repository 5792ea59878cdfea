"""`/healthz`, `/readyz` and `/metrics`: for those who watch the process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

Check = Callable[[], Awaitable[bool]]
Exposition = Callable[[str], tuple[bytes, str]]


@dataclass(frozen=True, slots=True)
class Health:
    """checks: what must hold before calls are taken, by name; exposition: metrics for an Accept header."""

    checks: Mapping[str, Check]
    exposition: Exposition

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(tags=["health"])

        @router.get("/healthz")
        async def healthz() -> dict[str, str]:
            """The process lives."""
            return {"status": "ok"}

        @router.get("/readyz")
        async def readyz() -> JSONResponse:
            """Whether calls can be taken now, and what is missing if not."""
            parts = {name: await check() for name, check in self.checks.items()}
            return JSONResponse({"ready": all(parts.values()), "parts": parts}, 200 if all(parts.values()) else 503)

        @router.get("/metrics")
        async def metrics(request: Request) -> Response:
            """Prometheus metrics."""
            body, media_type = self.exposition(request.headers.get("accept", ""))
            return Response(body, media_type=media_type)

        return router
