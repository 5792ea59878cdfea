from __future__ import annotations

import json
from ipaddress import IPv4Network
from typing import Any

import pytest

from orchestrator.core.errors import ConfigError
from telephony.sip.settings import GatewaySettings, Trunk, addresses_of, gateway_settings

LEAST = {
    "orchestrator": "ws://127.0.0.1:8080/legs/sip",
    "token": "s3cret",
    "journals": "/tmp/journals",
    "objects": {"location": "s3://calls", "secret": "s3-s3cret"},
}


def told(**change: Any) -> str:
    return json.dumps({**LEAST, **change})


def test_settings_survive_the_environment_with_their_secrets() -> None:
    trunk = Trunk(name="carrier", registrar="sip.example:5060", user="agent", password="p4ss")  # type: ignore[arg-type]
    settings = GatewaySettings.model_validate({**LEAST, "trunks": [trunk]})
    assert gateway_settings(settings.model_dump_json()) == settings
    assert "p4ss" not in repr(settings)
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"port": 0}, "port"),
        ({"codecs": ["OPUS"]}, "codecs.0"),
        ({"transports": []}, "transports"),
        ({"rtp_ports": [10000, 10000]}, "rtp_ports 10000-10000"),
        ({"clock_rate": 44100}, "clock_rate"),
        ({"trunks": [{"name": "x"}]}, "networks"),
        ({"trunks": [{"name": "x", "registrar": "h"}]}, "a registered trunk needs a user"),
        ({"trunks": [{"name": "local", "networks": ["10.0.0.0/8"]}]}, "two trunks have one name"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_setting_that_cannot_work_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigError, match=field):
        gateway_settings(told(**change))


def test_a_bad_setting_never_tells_its_value() -> None:
    with pytest.raises(ConfigError) as caught:
        gateway_settings(told(token=["s3cret"]))
    assert "s3cret" not in str(caught.value)


def test_no_settings_at_all_are_told_where_to_go() -> None:
    with pytest.raises(ConfigError, match="OFFHOOK_SIP_GATEWAY is not set"):
        gateway_settings(None)


def test_programs_on_this_machine_may_call_unless_told_otherwise() -> None:
    assert [trunk.name for trunk in gateway_settings(told()).sources] == ["local"]
    assert gateway_settings(told(loopback=False)).sources == ()


def test_a_registrar_is_resolved_without_its_port() -> None:
    assert addresses_of("127.0.0.1:5160") == (IPv4Network("127.0.0.1/32"),)


def test_a_registrar_that_does_not_exist_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"carrier\.invalid:5060"):
        addresses_of("carrier.invalid:5060")
