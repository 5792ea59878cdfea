from __future__ import annotations

import pytest

from orchestrator.agents import read_agent, read_agents, route
from orchestrator.core.errors import ConfigError
from orchestrator.core.expectation import ANYTHING, Expectation, Form
from orchestrator.demo import DEMO_AGENTS

GOOD = 'name = "a"\nnumbers = ["1"]\ngreeting = "Hi."\npersona = "You help."\n'


def test_the_demo_agent_is_well_formed():
    (demo,) = read_agents(DEMO_AGENTS)
    assert demo.numbers[0] == "demo"
    assert len(demo.answers) >= 4
    assert demo.agent(demo.name, demo.numbers).fixed_phrases()


def test_a_missing_field_is_named(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(GOOD.replace('greeting = "Hi."\n', ""))
    with pytest.raises(ConfigError, match=r"a\.toml: greeting: .*an agent has name, numbers, greeting"):
        read_agent(path)


def test_an_unknown_field_is_named(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(GOOD + "colour = 1\n")
    with pytest.raises(ConfigError, match="colour"):
        read_agent(path)


def test_broken_toml_is_told(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text("name = ")
    with pytest.raises(ConfigError, match="not valid TOML"):
        read_agent(path)


def test_two_agents_cannot_share_a_number(tmp_path):
    (tmp_path / "a.toml").write_text(GOOD)
    (tmp_path / "b.toml").write_text(GOOD.replace('name = "a"', 'name = "b"'))
    with pytest.raises(ConfigError, match=r"b\.toml: number '1' is also that of .*a\.toml"):
        read_agents(tmp_path)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="there is no agent"):
        read_agents(tmp_path)


@pytest.mark.parametrize(
    ("one", "other"), [("+1 (555) 010-2345", "15550102345"), ("Demo", "demo"), ("sales-2", "SALES-2")]
)
def test_spellings_of_one_number_meet(one, other):
    assert route(one) == route(other)


def test_two_spellings_of_one_number_are_one_number(tmp_path):
    (tmp_path / "a.toml").write_text(GOOD.replace('"1"', '"+1 (555) 010"'))
    (tmp_path / "b.toml").write_text(GOOD.replace('name = "a"', 'name = "b"').replace('"1"', '"1555010"'))
    with pytest.raises(ConfigError, match="number '1555010' is also that of"):
        read_agents(tmp_path)


def test_a_question_cannot_have_two_answers(tmp_path):
    path = tmp_path / "a.toml"
    answer = '[[answers]]\nquestions = ["Are you open?"]\nanswer = "{}"\n'
    path.write_text(GOOD + answer.format("Yes.") + answer.format("No."))
    with pytest.raises(ConfigError, match="'are you open\\?' stands twice"):
        read_agent(path)


def test_a_number_without_a_digit_or_letter_is_refused(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(GOOD.replace('"1"', '"()"'))
    with pytest.raises(ConfigError, match="numbers"):
        read_agent(path)


def test_pronunciations_are_read_as_they_are_written(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(GOOD + '[pronunciations]\n"Nguyen" = "win"\n"Saint Ouen" = "san twan"\n')
    assert read_agent(path).pronunciations == {"Nguyen": "win", "Saint Ouen": "san twan"}


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ('"SQL" = "a"\n"sql" = "b"\n', "'sql' stands twice"),
        ('"SQL" = ""\n', "pronunciations"),
        ('"" = "a"\n', "pronunciations"),
    ],
)
def test_a_word_has_one_pronunciation_and_neither_is_empty(tmp_path, table, complaint):
    path = tmp_path / "a.toml"
    path.write_text(GOOD + "[pronunciations]\n" + table)
    with pytest.raises(ConfigError, match=complaint):
        read_agent(path)


@pytest.mark.parametrize(("written", "read"), [('"patient"', "patient"), ("2.5", 2.5), ("1", 1.0)])
def test_patience_is_a_name_or_seconds(tmp_path, written, read):
    path = tmp_path / "a.toml"
    path.write_text(GOOD + f"patience = {written}\n")
    assert read_agent(path).patience == read


@pytest.mark.parametrize("wrong", ['"slow"', "0.1", "9"])
def test_another_patience_is_refused(tmp_path, wrong):
    path = tmp_path / "a.toml"
    path.write_text(GOOD + f"patience = {wrong}\n")
    with pytest.raises(ConfigError, match="patience"):
        read_agent(path)


def test_an_answer_that_asks_back_says_what_it_expects(tmp_path):
    path = tmp_path / "a.toml"
    asking = '[[answers]]\nquestions = ["Where is it?"]\nanswer = "What is the number?"\n'
    path.write_text(GOOD + asking + 'expects = { form = "digits", count = 8 }\n')
    agent = read_agent(path)
    assert agent.expected_after("What is the number?") == Expectation(Form.DIGITS, 8)
    assert agent.expected_after("Sure. What is the number?") == Expectation(Form.DIGITS, 8)
    assert agent.expected_after("the number?") == Expectation(Form.DIGITS, 8)
    assert agent.expected_after("Goodbye.") == agent.expected_after("") == ANYTHING


@pytest.mark.parametrize("wrong", ['{ form = "colour" }', '{ form = "digits", count = 0 }', "3"])
def test_an_expectation_that_nobody_knows_is_refused(tmp_path, wrong):
    path = tmp_path / "a.toml"
    path.write_text(GOOD + f'[[answers]]\nquestions = ["Where is it?"]\nanswer = "What is it?"\nexpects = {wrong}\n')
    with pytest.raises(ConfigError, match="expects"):
        read_agent(path)
