from __future__ import annotations

from fastapi import FastAPI
from fastapi.testclient import TestClient

from orchestrator.api.errors import install_error_handlers
from orchestrator.api.health.endpoints import Health
from orchestrator.core.errors import ApiError, StoreUnavailable


def client(**parts: bool) -> TestClient:
    def check(holds: bool):
        async def ask() -> bool:
            return holds

        return ask

    app = FastAPI()
    install_error_handlers(app, {})
    health = Health(
        {name: check(holds) for name, holds in parts.items()}, lambda accept: (b"offhook_calls 1\n", "text/plain")
    )
    app.include_router(health.router())

    @app.get("/refused")
    async def refused() -> None:
        raise ApiError(409, "already_published", "this version is published")

    @app.get("/store")
    async def store() -> None:
        raise StoreUnavailable("10.0.0.7 refused the connection")

    @app.get("/bug")
    async def bug() -> None:
        raise RuntimeError("secret inside")

    return TestClient(app, raise_server_exceptions=False)


def test_the_process_lives_whatever_its_parts_do():
    assert client(database=False).get("/healthz").json() == {"status": "ok"}


def test_ready_when_every_part_is():
    answer = client(database=True, engines=True).get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)


def test_not_ready_says_which_part_is_missing():
    answer = client(database=True, engines=False).get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "parts": {"database": True, "engines": False}}


def test_metrics_are_exposed():
    assert client().get("/metrics").text == "offhook_calls 1\n"


def test_errors_are_problems_with_a_code():
    answer = client().get("/refused")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (409, "already_published")


def test_a_lost_database_is_503_and_names_no_host():
    answer = client().get("/store")
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert "10.0.0.7" not in answer.text


def test_a_bug_tells_nothing_of_the_inside():
    answer = client().get("/bug")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text


def test_an_unknown_path_is_a_problem_too():
    assert client().get("/nowhere").json()["code"] == "not_found"
