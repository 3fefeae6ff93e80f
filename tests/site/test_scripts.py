"""What a page shows of a script is compared with what it prints now: to rounding, and no further."""

import pytest
import scripts

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    ("shown", "now"),
    [
        ("loss 0.0568373\n", "loss 0.0568373\n"),
        ("loss 0.123456789\n", "loss 0.123456788\n"),
        ("in 2.640 ms\n", "in 31.2 ms\n"),
        ("[1e-05 -2.]\n", "[1.0e-05 -2.0]\n"),
    ],
)
def test_the_same_up_to_rounding_and_times(shown, now):
    assert scripts.same(shown, now, 1e-6)


@pytest.mark.parametrize(
    ("shown", "now"),
    [
        ("loss 0.0568373\n", "loss 0.0568473\n"),
        ("loss 2.0\n", "loss -2.0\n"),
        ("loss 2.0\n", "cost 2.0\n"),
        ("2.0 3.0\n", "2.0\n"),
        ("in 2.640 s\n", "in 31.2 s\n"),
    ],
)
def test_a_difference_is_seen(shown, now):
    assert not scripts.same(shown, now, 1e-6)


def test_a_script_is_shown_as_it_is():
    text = (scripts.ROOT / "examples" / "derivatives.py").read_text()
    assert scripts.agree("python examples/derivatives.py", text)
    assert not scripts.agree("python examples/derivatives.py", text + "\n")
    assert scripts.named("text examples/derivatives.py")
    assert not scripts.named("text")
