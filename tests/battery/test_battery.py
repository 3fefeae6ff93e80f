"""Every case of the battery gets the verdict that it declares."""

import re
from pathlib import Path

import battery_calls
import battery_classes
import battery_containers
import battery_control
import battery_mutation
import battery_types
import pytest
from cases import verdict

pytestmark = pytest.mark.quick

FILES = (battery_control, battery_mutation, battery_containers, battery_classes, battery_calls, battery_types)
CASES = [case for file in FILES for case in file.case]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case):
    got, said = verdict(case)
    if case.refused is None:
        assert got == "right", said
    else:
        assert got == "refused", said
        assert re.search(case.refused, said), said
        where = f"{Path(case.function.__code__.co_filename).name}:"
        assert where in said or case.name in said, "the refusal names the place, or the function"


def test_the_battery_is_large():
    assert len(CASES) >= 250
