"""People sign in to a running Offhook, whom the command line has let in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx

from benchmarks.system import System

PASSWORD = "correct horse battery staple"


def offhook_users(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, with the new user's password in its environment."""
    return command("users", *arguments)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "orchestrator", *arguments],
        capture_output=True,
        text=True,
        env={"OFFHOOK_NEW_PASSWORD": PASSWORD, "COLUMNS": "200"},
        timeout=60,
        check=False,
    )


def test_a_user_who_was_added_signs_in_and_reads_calls(offhook: System) -> None:
    where = ("--data", str(offhook.data), "--url", offhook.http)
    added = offhook_users("add", "anna@example.org", "--name", "Anna", "--role", "support", *where)
    assert added.returncode == 0, added.stderr
    assert "anna@example.org can sign in as support" in added.stdout
    assert "Anna" in offhook_users("list", *where).stdout
    again = offhook_users("add", "anna@example.org", *where)
    assert (again.returncode, again.stderr) == (2, "offhook: somebody has this address already\n")

    signed_in = httpx.post(
        f"{offhook.http}/api/v1/auth/login", json={"email": "anna@example.org", "password": PASSWORD}
    )
    token = signed_in.raise_for_status().json()["access_token"]
    calls = httpx.get(f"{offhook.http}/api/v1/calls", headers={"Authorization": f"Bearer {token}"})
    assert calls.status_code == 200
    assert httpx.get(f"{offhook.http}/api/v1/calls").status_code == 401


def test_whoever_watches_sees_the_breakers(offhook: System) -> None:
    assert httpx.get(f"{offhook.http}/readyz").json()["parts"]["breakers"]
    metrics = httpx.get(f"{offhook.http}/metrics").text
    assert 'offhook_engine_breaker_open{engine="llm"} 0.0' in metrics


def test_a_number_is_granted_shown_and_taken_back(offhook: System) -> None:
    where = ("--data", str(offhook.data), "--url", offhook.http)
    added = command("numbers", "add", "+1 555 0102", "--account", "default", *where)
    assert added.returncode == 0, added.stderr
    assert "15550102" in command("numbers", "list", *where).stdout
    assert command("numbers", "remove", "1 555 0102", *where).returncode == 0
    assert "15550102" not in command("numbers", "list", *where).stdout
    unknown = command("numbers", "add", "7", "--account", "nowhere", *where)
    assert (unknown.returncode, unknown.stderr) == (
        2,
        "offhook: no account is nowhere; see: offhook accounts list\n",
    )


def test_the_audit_log_of_a_running_installation_is_verified(offhook: System) -> None:
    command = [
        sys.executable,
        "-m",
        "orchestrator",
        "audit",
        "verify",
        "--data",
        str(offhook.data),
        "--url",
        offhook.http,
    ]
    verified = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert verified.returncode == 0, verified.stderr
    head = verified.stdout.split("head ")[1].strip()
    again = subprocess.run([*command, "--head", head], capture_output=True, text=True, timeout=60, check=False)
    assert (again.returncode, "intact" in again.stdout) == (0, True)
    forged = subprocess.run(
        [*command, "--head", f"1:{'0' * 64}"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (forged.returncode, "not part of the log" in forged.stdout) == (1, True)


def test_neither_keys_nor_passwords_reach_the_log(offhook: System) -> None:
    log = offhook.log.read_text()
    for name in ("operator.key", "tokens.key"):
        assert (offhook.data / "keys" / name).read_text().strip() not in log
    assert PASSWORD not in log


def test_a_key_that_is_not_there_is_told(tmp_path: Path) -> None:
    refused = offhook_users("list", "--data", str(tmp_path))
    assert refused.returncode == 2
    assert "operator.key: cannot be read: No such file or directory" in refused.stderr
