"""Random programs: their gradients on the simulated device are those on the CPU, or are refused."""

import pytest
from fuzz_calls import Calls
from fuzz_choice import seeded
from fuzz_control import Control
from fuzz_judge import judge
from fuzz_on_device import same_on_device
from fuzz_program import program
from fuzz_statements import Statements

KINDS = (Statements, Control, Calls)


@pytest.mark.parametrize("seed", [*range(18), 80])
def test_the_device_gives_the_same(seed, tmp_path):
    text = program(seeded(f"device {seed}"), 5, KINDS[seed % 3]).text
    verdict = judge(text, tmp_path, check=same_on_device)
    assert verdict.kind != "wrong", f"{verdict.what}\n{verdict.detail}\n{text}"
