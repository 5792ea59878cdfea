from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.core.errors import ConfigError
from orchestrator.settings import Settings, read_settings, read_trunks, unknown_variables


def test_given_values_win_over_the_environment(monkeypatch):
    monkeypatch.setenv("OFFHOOK_HTTP_PORT", "9000")
    assert read_settings().http_port == 9000
    assert read_settings(http_port=9001).http_port == 9001
    assert read_settings(http_port=None).http_port == 9000


def test_a_bad_setting_is_named(monkeypatch):
    monkeypatch.setenv("OFFHOOK_SIP_PORTS", "fivethousand")
    with pytest.raises(ConfigError, match="sip_ports"):
        read_settings()


def test_the_database_password_is_never_shown(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:topsecret@db/x")
    settings = read_settings()
    assert settings.database_url.get_secret_value().endswith("topsecret@db/x")
    assert "topsecret" not in repr(settings)


def test_another_process_gets_the_same_settings_by_its_environment(monkeypatch, tmp_path):
    given = {
        "data": tmp_path,
        "worker": False,
        "http_port": 0,
        "database_url": "postgresql://offhook:secret@db/offhook",
    }
    settings = read_settings(**given)
    for name, value in settings.environment.items():
        monkeypatch.setenv(name, value)
    assert read_settings() == settings


def test_trunks_are_read(tmp_path):
    path = tmp_path / "trunks.toml"
    path.write_text('[[trunks]]\nname = "carrier"\nnetworks = ["192.0.2.0/24"]\n')
    assert read_trunks(path)[0].name == "carrier"


def test_a_bad_trunk_is_named_without_its_password(tmp_path):
    path = tmp_path / "trunks.toml"
    path.write_text('[[trunks]]\nname = "carrier"\npassword = "topsecret"\nregistrar = "sip.example.net"\n')
    with pytest.raises(ConfigError, match="registered trunk needs a user") as caught:
        read_trunks(path)
    assert "topsecret" not in str(caught.value)


def test_as_many_calls_as_the_gateways_hold_are_taken_unless_told_otherwise():
    assert read_settings().calls is None
    assert read_settings(calls=2).calls == 2


def test_a_fault_of_several_settings_is_told_without_an_empty_name():
    with pytest.raises(ConfigError, match=r"^settings: sip_ports: 5060,5060 names a port twice"):
        read_settings(sip_ports="5060,5060")


def test_every_setting_stands_in_the_table_of_settings():
    table = (Path(__file__).parents[3] / "docs" / "settings.md").read_text()
    names = {"DATABASE_URL" if name == "database_url" else f"OFFHOOK_{name.upper()}" for name in Settings.model_fields}
    assert {name for name in names if f"| `{name}` |" not in table} == set()


def test_variables_that_only_look_like_settings_are_found(monkeypatch):
    for name in ("OFFHOOK_SIP_PORT", "OFFHOOK_CACHE", "OFFHOOK_CALL_PASSWORD", "OFFHOOK_DATABASE_URL"):
        monkeypatch.setenv(name, "x")
    assert unknown_variables() == ["OFFHOOK_SIP_PORT"]


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"sip_ports": "99999"}, "a port is a number from 1 to 65535"),
        ({"sip_ports": "0"}, "a port is a number from 1 to 65535"),
        ({"sip_ports": "5060,5060"}, "names a port twice"),
        ({"rtp_ports": "10999-10000"}, "is too few"),
        ({"sip_ports": "5060,5062", "rtp_ports": "10000-10002"}, "is too few"),
        ({"sip_bind": "here"}, "sip_bind"),
        ({"calls": 0}, "calls"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_what_is_accepted(given, complaint):
    with pytest.raises(ConfigError, match=complaint):
        read_settings(**given)


def test_a_trunk_of_the_file_is_not_named_like_those_of_accounts(tmp_path):
    path = tmp_path / "trunks.toml"
    path.write_text('[[trunks]]\nname = "trunk:1"\nnetworks = ["192.0.2.0/24"]\n')
    with pytest.raises(ConfigError, match="begins with 'trunk:'"):
        read_trunks(path)
