"""Whole random programs, a fixed budget of them: gradients against finite differences, stage by stage.

`python tests/fuzz/programs.py --count 20000` runs many more, and shrinks what fails.
"""

import collections

import pytest
from fuzz_calls import Calls
from fuzz_choice import drawn, seeded
from fuzz_control import Control
from fuzz_judge import judge
from fuzz_orders import compare_orders
from fuzz_program import program
from hypothesis import HealthCheck, Phase, given, settings, strategies

PROGRAMS = 120
REFUSED = 0.25  # at most this share may be refused; each refusal names file and line


@strategies.composite
def programs(draw):
    """The text of a module with a random `loss`, its arguments and what to differentiate."""
    return program(drawn(draw), statements=5).text


def test_random_programs_have_right_gradients(tmp_path_factory):
    folder = tmp_path_factory.mktemp("programs")
    kinds = collections.Counter()

    @settings(
        max_examples=PROGRAMS,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(programs())
    def check(text):
        verdict = judge(text, folder)
        kinds[verdict.kind] += 1
        assert verdict.kind != "wrong", f"{verdict.what}\n{verdict.detail}\n{text}"

    check()
    print(dict(kinds))
    judged = sum(kinds.values())
    assert judged >= PROGRAMS, kinds
    assert kinds["refused"] <= REFUSED * judged, kinds
    assert kinds["right"] >= judged / 2, kinds


@pytest.mark.parametrize("seed", range(12))
def test_programs_that_jump_have_right_gradients(seed, tmp_path):
    text = program(seeded(f"control {seed}"), 5, Control).text
    verdict = judge(text, tmp_path)
    assert verdict.kind != "wrong", f"{verdict.what}\n{verdict.detail}\n{text}"


@pytest.mark.parametrize("seed", range(12))
def test_programs_that_call_and_recurse_have_right_gradients(seed, tmp_path):
    text = program(seeded(f"calls {seed}"), 5, Calls).text
    verdict = judge(text, tmp_path)
    assert verdict.kind != "wrong", f"{verdict.what}\n{verdict.detail}\n{text}"


@pytest.mark.parametrize("seed", range(25))
def test_second_derivatives_of_random_programs_agree(seed, tmp_path):
    text = program(seeded(f"orders {seed}"), 4).text
    verdict = judge(text, tmp_path, check=compare_orders)
    assert verdict.kind != "wrong", f"{verdict.what}\n{verdict.detail}\n{text}"


@pytest.mark.parametrize("seed", range(4))
def test_seeded_programs_are_the_same_every_time(seed):
    assert program(seeded(seed)) == program(seeded(seed))
