"""The examples do what they promise; where PyTorch prints a number, srcgrad gets it."""

import json
from pathlib import Path

import numpy as np
import pytest
import sgd_walkthrough
import two_layer_net
from sgd_walkthrough import curve, descend, variables

from srcgrad import Parameter
from srcgrad.optim import SGD

RECORD = json.loads((Path(__file__).parents[1] / "data" / "two_layer_net_pytorch.json").read_text())


# Two-layer net


@pytest.fixture(scope="module")
def losses():
    return two_layer_net.train(steps=500, learning_rate=RECORD["learning_rate"], seed=RECORD["seed"])


def test_two_layer_net_has_the_loss_curve_of_pytorch(losses):
    """Rounding alone separates the two.

    The loss is |y_pred - y|^2, and y_pred has a rounding error of some float32 epsilons times |y_pred|, about |y|.
    So the relative error of the loss is that over |y_pred - y| = sqrt(loss): nothing at first, percents at the end,
    where the loss is 1e-12 of what it was. A hundred epsilons, for sums of 1000 terms in another order (30 were seen).
    """
    rng = np.random.default_rng(RECORD["seed"])
    rng.standard_normal(RECORD["shapes"]["x"], dtype=np.float32)
    y = rng.standard_normal(RECORD["shapes"]["y"], dtype=np.float32)
    rounding = 100.0 * np.finfo(np.float32).eps * np.linalg.norm(y)
    for step, expected in ((int(step), loss) for step, loss in RECORD["loss"].items()):
        tolerance = 1e-5 + (rounding / np.sqrt(expected) if step >= 50 else 0.0)
        assert losses[step] == pytest.approx(expected, rel=tolerance), f"step {step}"
        assert tolerance < 0.04


def test_two_layer_net_reaches_what_the_tutorial_reaches(losses):
    assert losses[0] > 1e7
    assert 200.0 < losses[99] < 1000.0
    assert 0.5 < losses[199] < 11.0
    assert 2e-5 < losses[499] < 3.3e-4


# SGD on plain variables


def test_value_and_gradients():
    x, c, b, d = variables()
    y = curve.forward(x, c, b, d)
    assert (x.grad, c.grad, b.grad) == (None, None, None)
    y.backward()
    assert f"{y.item():.4f} {x.grad:.4f} {c.grad:.4f}" == "1349.7185 1337.7185 445.2395"
    assert b.grad is None


def test_step_writes_into_the_variables():
    x, c, b, d = variables()
    memory = x.data
    optimizer = SGD([x, c], lr=1.0)
    curve.forward(x, c, b, d).backward()
    optimizer.step()
    assert f"{x:.4f} {c:.4f}" == "-1332.7185 -442.2395"
    assert x.data is memory
    assert optimizer.param_groups[0]["params"][0] is x


def test_parameters_come_as_an_iterable():
    x, c, _, _ = variables()
    assert SGD((each for each in (x, c)), lr=1.0).param_groups[0]["params"] == [x, c]
    assert SGD([x], lr=1.0).param_groups[0]["params"] == [x]
    with pytest.raises(TypeError, match="iterable"):
        SGD(x, lr=1.0)


def test_optimizer_prints_its_groups(capsys):
    sgd_walkthrough.step_in_place()
    expected = [
        "SGD (",
        "Parameter Group 0",
        "    dampening: 0",
        "    lr: 1.0",
        "    maximize: False",
        "    momentum: 0",
        "    nesterov: False",
        "    weight_decay: 0",
        ")",
    ]
    assert capsys.readouterr().out.splitlines()[1:] == expected


def test_options_change_in_the_groups():
    x, c, b, d = variables()
    optimizer = SGD([{"params": [x], "lr": 1e-3}, {"params": [c]}], lr=1.0)
    optimizer.param_groups[1]["lr"] = 0.1
    assert "lr: 0.1\n" in str(optimizer)
    curve.forward(x, c, b, d).backward()
    optimizer.step()
    assert f"{x:.4f} {c:.4f}" == "3.6623 -41.5240"


def test_replaced_parameter_takes_the_place_in_the_group(capsys):
    sgd_walkthrough.replace_in_group()
    assert capsys.readouterr().out.strip() == "x = 5.0, x.grad = 1337.7185, group = [10.0000, -41.5240]"


def test_rebound_name_leaves_the_group_alone(capsys):
    sgd_walkthrough.rebind_name()
    assert capsys.readouterr().out.strip() == "x = 10.0, x.grad = None, group = [-1332.7185, -442.2395]"


def test_parameter_without_a_gradient_of_its_own_stays():
    """The new x was in the call, so the group's old one has no gradient and does not move."""
    x, c, b, d = variables()
    optimizer = SGD([x, c], lr=1.0)
    new = Parameter(5.0, dtype=np.float32)
    curve.forward(new, c, b, d).backward()
    optimizer.step()
    assert (x.item(), new.item()) == (5.0, 5.0)
    assert x.grad is None
    assert f"{c:.4f}" == "-442.2395"


def test_second_backward_says_how_to_keep_what_was_saved():
    y = sgd_walkthrough.parabola.forward(Parameter(5.0))
    y.backward()
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        y.backward()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"momentum": 0.9}, (3.4, -5.18, -10.394)),
        ({"momentum": 0.9, "dampening": 0.1}, (3.4, -4.916, -10.28576)),
        ({"weight_decay": 0.1}, (3.3, 0.687, -0.33207)),
        ({"momentum": 0.9, "nesterov": True}, (-2.54, -6.1304, -4.344704)),
        ({"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}, (-2.73, -6.13293, -4.18627113)),
        ({"maximize": True}, (16.6, 27.16, 44.056)),
    ],
    ids=repr,
)
def test_three_steps_with_options(options, expected):
    assert descend(**options) == pytest.approx([10.0, *expected], rel=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lr": 0.1, "nesterov": True}, "Nesterov momentum requires a momentum and zero dampening"),
        (
            {"lr": 0.1, "momentum": 0.9, "dampening": 0.1, "nesterov": True},
            "Nesterov momentum requires a momentum and zero dampening",
        ),
        ({"lr": -1}, "Invalid learning rate: -1"),
    ],
)
def test_options_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        SGD([Parameter(1.0)], **arguments)


def test_no_parameters():
    with pytest.raises(ValueError, match="optimizer got an empty parameter list"):
        SGD([], lr=0.1)


# Handwritten digits


def test_digits_are_read(monkeypatch, tmp_path, capsys):
    classify_digits = pytest.importorskip("classify_digits", reason="needs the examples extra")
    monkeypatch.setattr(classify_digits, "PICTURE", tmp_path / "output" / "digits.png")
    reached = classify_digits.main()
    assert reached >= 0.97
    assert (tmp_path / "output" / "digits.png").read_bytes().startswith(b"\x89PNG")
    assert "test accuracy" in capsys.readouterr().out
    assert "def loss_forward" in classify_digits.loss.source


# Real data, in a shortened form


def shortened(name, tmp_path, **options):
    """What the example's `main` returns; its picture is looked at."""
    module = pytest.importorskip(name, reason="needs the examples extra")
    picture = tmp_path / "pictures" / f"{name}.png"
    result = module.main(picture=picture, **options)
    assert picture.read_bytes().startswith(b"\x89PNG")
    return result


def test_convolutions_read_digits(tmp_path, capsys):
    assert shortened("digits_cnn", tmp_path, epochs=1) >= 0.85
    printed = capsys.readouterr().out
    assert "(0): Conv2d(1, 16, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))" in printed
    assert "test accuracy" in printed


def test_a_recurrent_network_learns_to_spell(tmp_path):
    before, after = shortened("char_rnn", tmp_path, steps=400)
    assert after < 0.9 * before


def test_logistic_regression_finds_the_optimum(tmp_path):
    accuracy, norm = shortened("logistic_regression", tmp_path)
    assert accuracy >= 0.96
    assert norm < 1e-10


def test_a_gaussian_process_becomes_likelier(tmp_path):
    before, after = shortened("gaussian_process", tmp_path, steps=20)
    assert after < before - 4.0


def test_a_pendulum_is_found(tmp_path):
    found = shortened("pendulum", tmp_path, steps=100)
    assert found["frequency"] == pytest.approx(2.0, abs=0.02)
    assert found["friction"] == pytest.approx(0.2, abs=0.02)


def test_a_kalman_filter_finds_the_noise(tmp_path):
    drift, noise = shortened("kalman", tmp_path, steps=80)
    assert drift == pytest.approx(0.1, rel=0.3)
    assert noise == pytest.approx(1.0, rel=0.15)
