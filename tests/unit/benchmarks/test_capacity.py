from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.capacity import (
    Assumptions,
    Gpu,
    Hearing,
    capacity,
    cores_of_a_call,
    generating,
    read_assumptions,
)
from orchestrator.core.errors import ConfigError

GPU = Gpu(name="x", together=10, tokens=500.0, first=0.3, source="here", holds_both=True)


def assumed(**talk: float) -> Assumptions:
    return Assumptions.model_validate(
        {
            "talk": {"turn": 10.0, "question": 2.0, "reply_tokens": 35, "dropped_replies": 0.0} | talk,
            "hearing": {"partial_every": 1.0, "padding": 3.0, "last_passes": 1.0},
            "limits": {"busy": 0.5, "cores_busy": 0.5},
            "recogniser": {"model": "w", "real_time": 14.0},
            "gpus": [GPU.model_dump()],
        }
    )


def test_each_pass_hears_the_utterance_from_its_beginning() -> None:
    hearing = Hearing(partial_every=1.0, padding=3.0, last_passes=2.0)
    assert hearing.audio(2.5) == pytest.approx((1 + 3) + (2 + 3) + 2 * (2.5 + 3))


def test_a_call_waits_for_its_share_of_the_tokens() -> None:
    # Ten requests share 500 tokens a second: 35 of them take 0.7 s, after 0.3 s to the first one.
    assert generating(GPU, assumed().talk) == pytest.approx(0.1)
    assert generating(GPU, assumed(dropped_replies=0.5).talk) == pytest.approx(0.15)


def test_a_gpu_holds_the_calls_that_keep_it_busy_for_its_share_of_time() -> None:
    found = capacity(GPU, assumed(), cores=0.05)
    # A call takes a hundredth of the language model; 14 s of audio in 10 s of a turn take a tenth of the recogniser.
    assert (found.language_model, found.recogniser, found.both) == (50, 5, 4)
    assert found.cores == 5


def test_two_models_that_do_not_fit_hold_no_calls_together() -> None:
    small = GPU.model_copy(update={"holds_both": False})
    assert capacity(small, assumed(), cores=0.05).both is None


def test_the_cost_of_a_call_leaves_its_engines_out() -> None:
    used = {"orchestrator": 3.0, "gateways": 2.4, "database": 0.6, "engines": 99.0}
    assert cores_of_a_call({"calls": {"cpu_s_per_call_minute": used}}) == pytest.approx(0.1)


def test_results_without_the_cost_of_a_call_are_refused() -> None:
    with pytest.raises(ConfigError, match="cpu_s_per_call_minute"):
        cores_of_a_call({"sequence": {}})


def test_the_committed_assumptions_are_good_and_each_gpu_says_where_its_figures_are_from() -> None:
    committed = read_assumptions()
    assert committed.gpus
    assert all(gpu.source.startswith("https://") for gpu in committed.gpus)


def test_a_bad_assumption_is_refused_with_its_field(tmp_path: Path) -> None:
    path = tmp_path / "capacity.toml"
    path.write_text("[limits]\nbusy = 1.5\ncores_busy = 0.5\n")
    with pytest.raises(ConfigError, match=r"limits\.busy"):
        read_assumptions(path)
