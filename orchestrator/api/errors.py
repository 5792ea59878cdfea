"""Errors as clients see them: problem+json (RFC 9457) with a stable code, and nothing of the inside."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set

import structlog
from fastapi import FastAPI, Request, WebSocket
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import Scope

from orchestrator.api.sockets import refuse_bad_request
from orchestrator.core.errors import ApiError, StoreUnavailable

# Of what the framework refuses before a route is reached.
_CODES = {404: "not_found", 405: "method_not_allowed", 408: "too_slow", 413: "too_large"}

log = structlog.get_logger(__name__)


def install_error_handlers(app: FastAPI, offered: Mapping[str, Set[str]]) -> None:
    """Make every error of *app* a problem document. offered: the methods of each path, as it is written in routes."""

    @app.exception_handler(ApiError)
    async def on_api_error(request: Request, error: ApiError) -> JSONResponse:
        return problem(error.status, error.code, str(error), error.headers)

    @app.exception_handler(StoreUnavailable)
    async def on_store_unavailable(request: Request, error: StoreUnavailable) -> JSONResponse:
        # It may have gone away between a commit and its word.
        request.state.outcome_unknown = True
        return problem(503, "store_unavailable", "the database does not answer; try again soon")

    @app.exception_handler(RequestValidationError)
    async def on_bad_request(request: Request, error: RequestValidationError) -> JSONResponse:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        if any(fault["loc"] == ("body",) for fault in error.errors()) and not _says_json(request):
            faults += "; say that it is JSON, by the header Content-Type: application/json"
        return problem(422, "invalid_request", faults)

    @app.exception_handler(WebSocketRequestValidationError)
    async def on_bad_socket(socket: WebSocket, error: WebSocketRequestValidationError) -> None:
        await refuse_bad_request(socket, error)

    @app.exception_handler(HTTPException)
    async def on_http_error(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 405:
            error.headers = {"Allow": ", ".join(_methods(offered, request.url.path))}
        return http_problem(error)

    @app.exception_handler(Exception)
    async def on_failure(request: Request, error: Exception) -> JSONResponse:
        log.error("request_failed", path=request.url.path, exc_info=error)
        return problem(500, "internal_error", "something went wrong inside; the log says what")


def _methods(offered: Mapping[str, Set[str]], path: str) -> list[str]:
    """What may be asked at *path* (RFC 9110, section 10.2.1); the framework knows those of one route alone."""
    # A path that is written out is no example of one with names in it.
    paths = {path: offered[path]} if path in offered else offered
    patterns = {re.sub(r"\\{\w+\\}", "[^/]+", re.escape(known)): methods for known, methods in paths.items()}
    return sorted(
        {method for pattern, methods in patterns.items() if re.fullmatch(pattern, path) for method in methods}
    )


def _says_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower().endswith("json")


def http_problem(error: HTTPException) -> JSONResponse:
    """What the framework refuses."""
    return problem(error.status_code, _CODES.get(error.status_code, "refused"), str(error.detail), error.headers)


def is_outcome_unknown(scope: Scope) -> bool:
    """Whether the request in *scope* ended so that nobody can say if it took effect."""
    return bool(scope.get("state", {}).get("outcome_unknown", False))


def problem(status: int, code: str, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A problem document."""
    body = {"type": "about:blank", "status": status, "code": code, "detail": detail}
    told = dict(headers or {})
    if status == 401:
        told.setdefault("WWW-Authenticate", "Bearer")
    return JSONResponse(body, status_code=status, headers=told, media_type="application/problem+json")
