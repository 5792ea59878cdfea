"""The web application: routes, errors, edges, and the document that describes them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import cache
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware

from orchestrator.api.audit.middleware import Audit, AuditedRequests
from orchestrator.api.edge import REQUEST_ID, Edge
from orchestrator.api.errors import install_error_handlers
from orchestrator.api.idempotency import HEADER, KEY_PATTERN, NEVER, REPLAYED, Idempotency, IdempotentPosts

_PROBLEM = {
    "title": "Problem",
    "description": "RFC 9457. code: stable, for programs; detail: for people.",
    "type": "object",
    "required": ["type", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "const": "about:blank"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
}

_OF_WHO_ASKS = {"401": "Nobody known asks.", "403": "Who asks may not.", "429": "Too many requests; see Retry-After."}

_IDEMPOTENCY_KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Sent again within 24 h with the same request, it gets the first answer and has no further effect.",
    "schema": {"type": "string", "pattern": KEY_PATTERN},
}
_TWICE = "What is there contradicts it, or a request with this Idempotency-Key is going on or was cut."


def application(
    routers: Iterable[APIRouter],
    origins: Sequence[str] = (),
    idempotency: Idempotency | None = None,
    audit: Audit | None = None,
) -> FastAPI:
    """*routers* as one application.

    origins: of other sites whose pages may use the API; none as a rule; idempotency: what keeps POSTs from taking
    effect twice; audit: where what was done is kept.
    """
    app = FastAPI(
        title="Offhook",
        version=version("offhook"),
        description="Voice agents on the phone, on your own machines. See docs/api.md.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        generate_unique_id_function=_operation,
    )
    given = tuple(routers)
    install_error_handlers(app, _offered(given))
    if audit is not None:
        app.add_middleware(AuditedRequests, audit=audit)
    if idempotency is not None:
        app.add_middleware(IdempotentPosts, idempotency=idempotency)
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", HEADER, REQUEST_ID],
            expose_headers=[REQUEST_ID, REPLAYED, "RateLimit", "RateLimit-Policy", "Retry-After"],
        )
    app.add_middleware(Edge)
    for router in given:
        app.include_router(router)
    app.openapi = cache(lambda: _document(app))  # type: ignore[method-assign]
    return app


def _offered(routers: Iterable[APIRouter]) -> Mapping[str, Set[str]]:
    offered: defaultdict[str, set[str]] = defaultdict(set)
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute):
                offered[route.path].update(route.methods or ())
    return offered


def _operation(route: APIRoute) -> str:
    return route.name


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the problems that each operation may answer."""
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _tell_problems(operation)
            if method == "post" and "security" in operation and not path.startswith(NEVER):
                operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
                operation["responses"]["409"] = {**operation["responses"]["default"], "description": _TWICE}
    return document


def _tell_problems(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    statuses = dict(_OF_WHO_ASKS) if "security" in operation else {}
    if responses.pop("422", None) is not None:
        statuses["422"] = "The request is not what is described here; `detail` says where."
    statuses["default"] = "Anything else that went wrong."
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, description in statuses.items():
        responses[status] = {"description": description, "content": content}
