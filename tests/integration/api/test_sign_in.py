"""Signing in, staying in and being put out, over HTTP."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx

from orchestrator.access.passwords import Cost, Passwords
from orchestrator.access.sessions import FREE_FAILURES
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from orchestrator.store.sessions_repository import SessionsRepository
from tests.integration.api.conftest import OPERATOR, PASSWORD, TRIES, Control


def code(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["code"])


async def test_the_right_password_gives_tokens_that_say_who_it_is(control: Control) -> None:
    user = await control.user("anna@example.org", DEFAULT_ACCOUNT, "support")
    tokens = (await control.sign_in("Anna@Example.org")).json()
    assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 600)
    me = await control.client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert me.json() == {
        "user": str(user),
        "account": str(DEFAULT_ACCOUNT),
        "role": "support",
        "key": None,
        "allowed": ["agents:read", "calls:read", "contacts:read"],
    }


async def test_a_wrong_password_and_an_unknown_address_are_told_alike(control: Control) -> None:
    await control.user("anna@example.org", DEFAULT_ACCOUNT)
    wrong = await control.sign_in("anna@example.org", "correct horse battery stable")
    unknown = await control.sign_in("nobody@example.org")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()


async def test_a_user_without_an_account_cannot_come_in(control: Control) -> None:
    user = await control.user("anna@example.org", DEFAULT_ACCOUNT)
    async with control.database.connection() as connection:
        await connection.execute("DELETE FROM memberships WHERE user_id = $1", user)
    assert code(await control.sign_in("anna@example.org")) == "no_account"


async def test_whoever_is_in_several_accounts_chooses(control: Control) -> None:
    user = await control.user("anna@example.org", DEFAULT_ACCOUNT)
    other, strange = await control.account("other"), await control.account("strange")
    async with control.database.connection() as connection:
        await connection.execute(
            "INSERT INTO memberships (account_id, user_id, role) VALUES ($1, $2, 'client')", other, user
        )
    asked = {"email": "anna@example.org", "password": PASSWORD}
    answer = await control.client.post("/api/v1/auth/login", json={**asked, "account": str(other)})
    assert control.tokens.read(answer.json()["access_token"]).account == other
    refused = await control.client.post("/api/v1/auth/login", json={**asked, "account": str(strange)})
    assert (refused.status_code, code(refused)) == (403, "no_account")


async def test_too_many_wrong_passwords_lock_even_the_right_one_out_for_a_while(control: Control) -> None:
    await control.user("anna@example.org", DEFAULT_ACCOUNT)
    wrong = [await control.sign_in("anna@example.org", "wrong wrong wrong") for _ in range(FREE_FAILURES)]
    locked = await control.sign_in("anna@example.org")
    assert locked.json() == wrong[0].json()  # nobody learns from it who has an account
    control.now += 29
    assert (await control.sign_in("anna@example.org")).status_code == 401
    control.now += 2
    assert (await control.sign_in("anna@example.org")).status_code == 200
    assert (await control.sign_in("anna@example.org", "wrong wrong wrong")).status_code == 401
    assert (await control.sign_in("anna@example.org")).status_code == 200  # counted anew


async def test_each_further_wrong_password_doubles_the_lock(control: Control) -> None:
    await control.user("anna@example.org", DEFAULT_ACCOUNT)
    for _ in range(FREE_FAILURES):
        await control.sign_in("anna@example.org", "wrong wrong wrong")
    control.now += 31
    await control.sign_in("anna@example.org", "wrong wrong wrong")
    control.now += 58
    assert (await control.sign_in("anna@example.org")).status_code == 401
    control.now += 3
    assert (await control.sign_in("anna@example.org")).status_code == 200


async def test_wrong_passwords_at_the_same_time_lock_like_those_one_after_the_other(control: Control) -> None:
    await control.user("anna@example.org", DEFAULT_ACCOUNT)
    async with asyncio.TaskGroup() as group:
        for _ in range(FREE_FAILURES):
            group.create_task(control.sign_in("anna@example.org", "wrong wrong wrong"))
    assert (await control.sign_in("anna@example.org")).status_code == 401
    control.now += 31
    assert (await control.sign_in("anna@example.org")).status_code == 200


async def test_an_admin_lets_somebody_in_who_was_locked_out(control: Control) -> None:
    user = await control.user("anna@example.org", DEFAULT_ACCOUNT)
    token = (await control.sign_in("anna@example.org")).json()["refresh_token"]
    for _ in range(FREE_FAILURES):
        await control.sign_in("anna@example.org", "wrong wrong wrong")
    headers, new = {"Authorization": f"Bearer {OPERATOR}"}, {"password": "another horse entirely"}
    reset = await control.client.post(f"/api/v1/users/{user}/password", json=new, headers=headers)
    assert reset.status_code == 204
    assert (await control.sign_in("anna@example.org", "another horse entirely")).status_code == 200
    assert code(await control.refresh(token)) == "bad_token"


async def test_nobody_resets_the_password_of_a_user_of_another_account(control: Control) -> None:
    user = await control.user("anna@example.org", await control.account("other"))
    headers, new = {"Authorization": f"Bearer {OPERATOR}"}, {"password": "another horse entirely"}
    reset = await control.client.post(f"/api/v1/users/{user}/password", json=new, headers=headers)
    assert (reset.status_code, code(reset)) == (404, "user_not_found")
    assert (await control.sign_in("anna@example.org")).status_code == 200


async def test_a_token_that_is_traded_twice_at_once_is_good_for_one(control: Control) -> None:
    await control.user("anna@example.org", DEFAULT_ACCOUNT)
    token = (await control.sign_in("anna@example.org")).json()["refresh_token"]
    async with asyncio.TaskGroup() as group:
        trades = [group.create_task(control.refresh(token)) for _ in range(2)]
    assert sorted(trade.result().status_code for trade in trades) == [200, 401]


async def test_a_hash_of_another_cost_is_made_anew_at_the_next_sign_in(control: Control) -> None:
    cheaper = Passwords(Cost(memory_kib=32, passes=1))
    await control.users.add("anna@example.org", "Anna", await cheaper.hash(PASSWORD), DEFAULT_ACCOUNT, "admin")
    cheaper.close()
    assert (await control.sign_in("anna@example.org")).status_code == 200
    user = await control.users.by_email("anna@example.org")
    assert user and user.password_hash and "m=64,t=1" in user.password_hash
    assert (await control.sign_in("anna@example.org")).status_code == 200


async def test_a_zero_byte_is_refused_and_not_sent_to_the_database(control: Control) -> None:
    assert code(await control.sign_in("a\u0000@example.org")) == "invalid_request"


async def test_sessions_that_ended_long_ago_are_forgotten_and_others_are_not(control: Control) -> None:
    await control.user("anna@example.org", DEFAULT_ACCOUNT)
    first = (await control.sign_in("anna@example.org")).json()["refresh_token"]
    second = (await control.sign_in("anna@example.org")).json()["refresh_token"]
    await control.client.post("/api/v1/auth/logout", json={"refresh_token": first})
    repository = SessionsRepository(control.database)
    await repository.purge(datetime.fromtimestamp(control.now, UTC) + timedelta(seconds=1))
    async with control.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM sessions") == 1
    assert (await control.refresh(second)).status_code == 200


async def test_an_address_that_tries_too_often_is_slowed_down(control: Control) -> None:
    codes = [code(await control.sign_in(f"{number}@example.org")) for number in range(TRIES + 1)]
    assert codes == ["bad_credentials"] * TRIES + ["too_many_tries"]
    other_way = await control.client.get(f"/api/v1/auth/oidc/{uuid4()}/start")
    assert other_way.status_code == 422, "a way in that nobody has tried yet"


async def test_a_refresh_token_gives_the_next_tokens(control: Control) -> None:
    await control.user("anna@example.org", DEFAULT_ACCOUNT)
    first = (await control.sign_in("anna@example.org")).json()
    second = (await control.refresh(first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert control.tokens.read(second["access_token"]) == control.tokens.read(first["access_token"])
    assert (await control.refresh(second["refresh_token"])).status_code == 200


async def test_a_replayed_refresh_token_ends_the_session_for_thief_and_robbed_alike(control: Control) -> None:
    await control.user("anna@example.org", DEFAULT_ACCOUNT)
    stolen = (await control.sign_in("anna@example.org")).json()["refresh_token"]
    mine = (await control.refresh(stolen)).json()["refresh_token"]
    assert code(await control.refresh(stolen)) == "token_replayed"
    assert code(await control.refresh(mine)) == "bad_token"
    assert (await control.sign_in("anna@example.org")).status_code == 200


async def test_another_session_of_the_same_user_outlives_a_replay(control: Control) -> None:
    await control.user("anna@example.org", DEFAULT_ACCOUNT)
    phone = (await control.sign_in("anna@example.org")).json()["refresh_token"]
    desk = (await control.sign_in("anna@example.org")).json()["refresh_token"]
    for _ in range(2):
        await control.refresh(phone)
    assert (await control.refresh(desk)).status_code == 200


async def test_a_refresh_token_expires(control: Control) -> None:
    await control.user("anna@example.org", DEFAULT_ACCOUNT)
    token = (await control.sign_in("anna@example.org")).json()["refresh_token"]
    control.now += 14 * 86400 + 1
    assert code(await control.refresh(token)) == "bad_token"


async def test_a_role_that_was_changed_is_in_the_next_token(control: Control) -> None:
    user = await control.user("anna@example.org", DEFAULT_ACCOUNT, "admin")
    token = (await control.sign_in("anna@example.org")).json()["refresh_token"]
    async with control.database.connection() as connection:
        await connection.execute("UPDATE memberships SET role = 'support' WHERE user_id = $1", user)
    assert control.tokens.read((await control.refresh(token)).json()["access_token"]).role == "support"


async def test_a_disabled_user_is_out(control: Control) -> None:
    user = await control.user("anna@example.org", DEFAULT_ACCOUNT)
    token = (await control.sign_in("anna@example.org")).json()["refresh_token"]
    async with control.database.connection() as connection:
        await connection.execute("UPDATE users SET disabled_at = now() WHERE id = $1", user)
    assert code(await control.refresh(token)) == "bad_token"
    assert code(await control.sign_in("anna@example.org")) == "bad_credentials"


async def test_whoever_has_signed_out_cannot_come_back_with_the_token(control: Control) -> None:
    await control.user("anna@example.org", DEFAULT_ACCOUNT)
    token = (await control.sign_in("anna@example.org")).json()["refresh_token"]
    for _ in range(2):
        out = await control.client.post("/api/v1/auth/logout", json={"refresh_token": token})
        assert out.status_code == 204
    assert code(await control.refresh(token)) == "bad_token"


async def test_another_password_ends_every_session(control: Control) -> None:
    await control.user("anna@example.org", DEFAULT_ACCOUNT)
    token = (await control.sign_in("anna@example.org")).json()["refresh_token"]
    changed = await control.client.post(
        "/api/v1/auth/password",
        json={"current": PASSWORD, "new": "another horse entirely"},
        headers=await control.bearer("anna@example.org"),
    )
    assert changed.status_code == 204
    assert code(await control.refresh(token)) == "bad_token"
    assert (await control.sign_in("anna@example.org")).status_code == 401
    assert (await control.sign_in("anna@example.org", "another horse entirely")).status_code == 200


async def test_a_wrong_current_password_changes_nothing(control: Control) -> None:
    await control.user("anna@example.org", DEFAULT_ACCOUNT)
    refused = await control.client.post(
        "/api/v1/auth/password",
        json={"current": "wrong wrong wrong", "new": "another horse entirely"},
        headers=await control.bearer("anna@example.org"),
    )
    assert (refused.status_code, code(refused)) == (401, "bad_credentials")
    assert (await control.sign_in("anna@example.org")).status_code == 200


async def test_metacharacters_of_sql_are_letters(control: Control) -> None:
    for address in ("';DROP/**/TABLE/**/users;--@x", '"OR/**/1=1@x', "%@%", "anna@example.org'--", "\\@\\"):
        assert code(await control.sign_in(address)) == "bad_credentials"
    assert (await control.client.get("/api/v1/users", headers={"Authorization": f"Bearer {OPERATOR}"})).json() == []


async def test_what_is_no_request_to_sign_in_is_told_without_the_password(control: Control) -> None:
    refused = await control.client.post(
        "/api/v1/auth/login", json={"email": 7, "password": "super secret value", "x": 1}
    )
    assert (refused.status_code, code(refused)) == (422, "invalid_request")
    assert "secret" not in refused.text
