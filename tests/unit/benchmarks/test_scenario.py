"""The scenarios: what they ask, and how they are chosen."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.human_speech import recordings
from benchmarks.scenario import SCENARIOS, Interruption, Scenario, agent_file, read_scenario, scenario_file
from benchmarks.wer import chosen_recordings, normalized
from orchestrator.core.errors import ConfigError

HELPDESK = read_scenario(SCENARIOS / "helpdesk.toml")
HELDOUT = read_scenario(SCENARIOS / "heldout.toml")


def spoken(scenario: Scenario) -> list[str]:
    return [line for call in scenario.calls for line in call.lines]


def texts(scenario: Scenario) -> set[str]:
    """What is said, whoever says it."""
    human = recordings()
    return {normalized(human[line].text if line in human else line) for line in scenario.words()}


@pytest.mark.parametrize("scenario", [HELPDESK, HELDOUT], ids=["helpdesk", "heldout"])
def test_a_committed_scenario_asks_enough(scenario: Scenario) -> None:
    assert len(spoken(scenario)) == 36
    assert Counter(call.codec for call in scenario.calls) == {"PCMU": 3, "G722": 2, "PCMA": 1}
    assert agent_file(scenario.agent).is_file()


def test_enough_replies_are_talked_over_for_a_95th_percentile() -> None:
    assert sum(len(plan.lines) for plan in HELPDESK.interruptions) == 50
    assert {plan.codec for plan in HELPDESK.interruptions} == {"PCMU", "PCMA", "G722"}
    assert sum(len(plan.lines) for plan in HELDOUT.interruptions) == 12


def test_a_line_waits_for_its_own_moment_or_for_that_of_all() -> None:
    assert Interruption(question="q", over=1.5, lines=("a", "b")).moments() == [("a", 1.5), ("b", 1.5)]
    assert Interruption(question="q", over=(1.5, 3.0), lines=("a", "b")).moments() == [("a", 1.5), ("b", 3.0)]


def test_moments_that_do_not_fit_the_lines_are_refused() -> None:
    with pytest.raises(ValueError, match="over: 2 moments for 1 lines"):
        Interruption(question="q", over=(1.0, 2.0), lines=("a",))


@pytest.mark.parametrize("scenario", [HELPDESK, HELDOUT], ids=["helpdesk", "heldout"])
def test_two_thirds_of_a_committed_scenario_are_human(scenario: Scenario) -> None:
    assert sum(line in recordings() for line in spoken(scenario)) == 24


def test_the_held_out_scenario_says_nothing_that_the_other_one_says() -> None:
    assert not texts(HELPDESK) & texts(HELDOUT)


def test_no_held_out_line_is_said_twice() -> None:
    assert len(set(spoken(HELDOUT))) == len(spoken(HELDOUT))


def test_no_held_out_recording_is_among_those_of_the_word_error_rate() -> None:
    assert not {one.name for one in chosen_recordings(recordings())} & HELDOUT.words()


def test_a_scenario_is_chosen_by_name_or_by_path(tmp_path: Path) -> None:
    assert scenario_file("heldout") == SCENARIOS / "heldout.toml"
    assert scenario_file(str(tmp_path / "mine.toml")) == tmp_path / "mine.toml"


def test_an_unknown_scenario_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match="no scenario 'help'; accepted are heldout, helpdesk, or the path"):
        scenario_file("help")


def test_a_scenario_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"mine\.toml"):
        read_scenario(scenario_file(str(tmp_path / "mine.toml")))


def test_an_unknown_agent_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match=r"no agent 'nobody'.*heldout, helpdesk"):
        agent_file("nobody")


def test_a_scenario_with_an_unknown_codec_is_refused_with_the_field(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text('agent = "a"\nnumber = "1"\n[[calls]]\ncodec = "OPUS"\nlines = ["x"]\n')
    with pytest.raises(ConfigError, match=r"calls\.0\.codec"):
        read_scenario(path)
