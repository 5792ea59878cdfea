"""Parameters of a query that a route does not know are refused, as fields of a body are: a filter that is misspelt
would match everything.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from orchestrator.core.errors import ApiError

# Of names that somebody made up, so many are told, and so much of each.
_TOLD = 8
_LONGEST = 64


def refuse_unknown(request: Request) -> None:
    """Raises ApiError 422 that names what the route of *request* does not know, and what it does."""
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute):
        return
    known = set(_known(route.dependant))
    unknown = sorted(request.query_params.keys() - known)
    if unknown:
        faults = "; ".join(f"query.{name[:_LONGEST]}: there is no such parameter" for name in unknown[:_TOLD])
        raise ApiError(422, "invalid_request", f"{faults}; there are {', '.join(sorted(known)) or 'none'}")


def _known(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for one in dependant.dependencies:
        yield from _known(one)
