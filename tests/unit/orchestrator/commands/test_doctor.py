from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from orchestrator.commands.doctor import Finding, examine
from orchestrator.settings import Settings, read_settings


def settings(tmp_path: Path, **given: object) -> Settings:
    return read_settings(
        **{"data": tmp_path, "http_port": 0, "sip_ports": "17985", "cache": tmp_path / "none", **given}
    )


def complaints(found: Settings) -> dict[str, str]:
    return {finding.what: finding.mend for finding in examine(found) if finding.mend}


def test_models_that_are_not_here_are_missed_with_the_command_that_fetches_them(tmp_path):
    missing = complaints(settings(tmp_path))
    assert missing["model whisper-tiny-en"] == "run `offhook models pull --profile cpu-tiny`"


def test_a_port_in_use_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = complaints(settings(tmp_path, http_port=port))
    assert "choose another one" in found[f"http_port 127.0.0.1:{port} (TCP)"]


def test_an_address_that_this_machine_does_not_have_is_told(tmp_path):
    found = complaints(settings(tmp_path, sip_bind="192.0.2.1"))
    assert "this machine has no address 192.0.2.1" in found["sip_bind and sip_ports 192.0.2.1:17985 (UDP)"]


def test_the_packages_of_the_chosen_profile_are_looked_for(tmp_path):
    looked_for = [finding.what for finding in examine(settings(tmp_path, profile="cluster"))]
    assert {"packages for llm with vllm", "packages for placement on Ray"} <= set(looked_for)
    assert "packages for llm with llama_cpp" not in looked_for


def test_a_database_that_does_not_answer_is_told_without_its_password(tmp_path):
    url = "postgresql://offhook:topsecret@127.0.0.1:9/offhook"
    found = complaints(settings(tmp_path, database_url=url))
    assert "does not answer" in found["the database of DATABASE_URL"]
    assert "topsecret" not in str(found)


def test_a_variable_that_is_no_setting_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("OFFHOOK_SIP_PORT", "5070")
    assert "docs/settings.md" in complaints(settings(tmp_path))["setting OFFHOOK_SIP_PORT"]


def test_a_bad_agent_is_told(tmp_path):
    (tmp_path / "bad.toml").write_text("name = 1")
    assert "bad.toml" in complaints(settings(tmp_path, agents=tmp_path))["agents"]


def test_an_unknown_profile_is_told_with_those_there_are(tmp_path):
    assert "cpu-tiny" in complaints(settings(tmp_path, profile="nonesuch"))["profile nonesuch"]


def test_what_is_well_asks_for_nothing(tmp_path):
    findings = list(examine(settings(tmp_path)))
    assert Finding("package pjsua2, for SIP") in findings
    assert Finding("agents") in findings


def test_a_machine_without_pjsip_can_still_ask_the_doctor():
    blocked = "import sys; sys.modules['pjsua2'] = None; from orchestrator.cli import main; main()"
    told = subprocess.run(
        [sys.executable, "-c", blocked, "doctor", "--help"], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
