"""What is told before anything is fetched or started."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from inference.registry import Registry
from orchestrator.core.errors import ConfigError
from orchestrator.preflight import refuse_what_cannot_start
from orchestrator.settings import read_settings

FRENCH = 'name = "a"\nnumbers = ["1"]\ngreeting = "Bonjour."\npersona = "p"\nlanguage = "fr"\n'


def refuse(tmp_path: Path, **given: object) -> None:
    settings = read_settings(**{"data": tmp_path / "data", "http_port": 0, "sip_ports": "17983", **given})
    refuse_what_cannot_start(settings, Registry(cache=tmp_path / "cache"))


def test_a_machine_on_which_all_is_well_is_not_refused(tmp_path: Path) -> None:
    refuse(tmp_path)
    assert (tmp_path / "data" / "journals").is_dir()


def test_an_address_of_another_machine_is_refused_with_where_to_find_ones_own(tmp_path: Path) -> None:
    complaint = r"sip_bind and sip_ports: cannot listen on 192\.0\.2\.1:17983 \(UDP\): this machine has no address"
    with pytest.raises(ConfigError, match=complaint + r" 192\.0\.2\.1; `ip -br addr` lists them"):
        refuse(tmp_path, sip_bind="192.0.2.1")


def test_a_sip_port_in_use_is_refused(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port} \(UDP\): the port is in use"):
            refuse(tmp_path, sip_ports=str(port))


@pytest.mark.parametrize("data", ["/proc/offhook", "/dev/null/offhook"])
def test_a_folder_that_cannot_be_made_is_refused_with_what_to_do(tmp_path: Path, data: str) -> None:
    with pytest.raises(ConfigError, match=rf"settings: data: {data} cannot be made: .*with --data or OFFHOOK_DATA"):
        refuse(tmp_path, data=Path(data))


def test_an_agent_of_a_language_that_no_model_knows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(FRENCH)
    with pytest.raises(ConfigError, match="agent a: language: 'fr' is not spoken by model 'whisper-tiny-en'"):
        refuse(tmp_path, agents=tmp_path)


def test_a_folder_of_agents_that_is_not_there_is_refused_as_that(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"agents: there is no folder .*/nowhere"):
        refuse(tmp_path, agents=tmp_path / "nowhere")
