"""`fit` is the loop by hand; a run that stops, saves and goes on is the run that did not stop, bit by bit."""

import sys

import numpy as np
import pytest

from srcgrad import Parameter, grad
from srcgrad.data import ArrayDataset, DataLoader
from srcgrad.optim import SGD, Adam
from srcgrad.optim.lr_scheduler import CosineAnnealingWarmRestarts, ExponentialLR, ReduceLROnPlateau
from srcgrad.serialization import load, save
from srcgrad.training import fit, progress

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 3))
Y = np.tanh(X @ [1.0, -2.0, 0.5] + 0.3)


@grad
def loss(weights, x, y):
    return np.mean((np.tanh(x @ weights["w"] + weights["b"]) - y) ** 2)


def made(seed=0):
    weights = {"w": Parameter(np.zeros(3)), "b": Parameter(0.0)}
    loader = DataLoader(ArrayDataset(X, Y), 8, shuffle=True, generator=seed, prefetch=1)
    return weights, loader


def test_fit_is_the_loop_by_hand():
    weights, loader = made()
    optimizer = Adam(weights.values(), lr=0.1)
    means = fit(loss, [weights], loader, optimizer, epochs=3)

    by_hand, loader = made()
    optimizer = Adam(by_hand.values(), lr=0.1)
    for _ in range(3):
        losses = []
        for batch in loader:
            optimizer.zero_grad()
            out = loss.forward(by_hand, *batch)
            out.backward()
            optimizer.step()
            losses.append(out.item())
    assert means[-1] == pytest.approx(np.mean(losses), rel=1e-14)
    np.testing.assert_array_equal(weights["w"], by_hand["w"])


def test_what_the_options_add():
    weights, loader = made()
    optimizer = SGD(weights.values(), lr=1.0)
    seen = []

    def after_epoch(epoch, mean):
        seen.append((epoch, mean))
        return epoch == 2

    scheduler = ExponentialLR(optimizer, 0.5)
    means = fit(loss, [weights], loader, optimizer, 10, scheduler=scheduler, max_norm=0.1, after_epoch=after_epoch)
    assert seen == list(enumerate(means))
    assert len(means) == 3
    assert scheduler.get_last_lr() == [0.125]
    plateau = ReduceLROnPlateau(optimizer, patience=0)
    fit(loss, [weights], loader, optimizer, 3, scheduler=plateau)
    assert plateau.last_epoch == 3
    assert plateau.best <= means[-1]


def test_clipped_steps_are_short():
    weights, _ = made()
    fit(loss, [weights], [(X, Y)], SGD(weights.values(), lr=1.0), 1, max_norm=1e-3)
    assert np.hypot(np.linalg.norm(weights["w"]), weights["b"].item()) <= 1e-3


def test_a_loss_that_is_no_number_stops_before_the_weights_are_spoilt():
    weights, _ = made()
    with pytest.raises(FloatingPointError, match="the loss is nan in epoch 0"):
        fit(loss, [weights], [(X, np.full(30, np.nan))], SGD(weights.values()), 5)
    assert np.isfinite(weights["w"]).all()


def test_an_iterator_is_used_up_after_one_epoch():
    weights, loader = made()
    with pytest.raises(ValueError, match="epoch 1 has no batches: an iterator is used up"):
        fit(loss, [weights], iter(loader), SGD(weights.values()), 2)


def test_a_bar_shows_the_epochs(capsys):
    pytest.importorskip("tqdm")
    weights, loader = made()
    fit(loss, [weights], loader, SGD(weights.values()), 2, bar=True)
    assert "training" in capsys.readouterr().err


def test_a_bar_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match=r"pip install 'srcgrad\[progress\]'"):
        progress([1, 2])


@pytest.mark.parametrize("stop", [1, 4, 5, 11])
def test_going_on_from_a_checkpoint_is_not_having_stopped(stop, tmp_path):
    """In the middle of an epoch or between two: weights, moments, learning rate and order of the data."""
    pytest.importorskip("safetensors")

    def run(parts, steps):
        weights, loader, optimizer, scheduler = parts
        done = 0
        while True:
            for batch in loader:
                optimizer.zero_grad()
                loss.forward(weights, *batch).backward()
                optimizer.step()
                scheduler.step()
                done += 1
                if done == steps:
                    return

    def parts(seed=0):
        weights, loader = made(seed)
        optimizer = Adam(weights.values(), lr=0.1, amsgrad=True)
        return weights, loader, optimizer, CosineAnnealingWarmRestarts(optimizer, 3, 2)

    whole = parts()
    run(whole, 15)

    first = parts()
    run(first, stop)
    names = ("weights", "loader", "optimizer", "scheduler")
    save(
        {name: part if name == "weights" else part.state_dict() for name, part in zip(names, first)},
        tmp_path / "run.safetensors",
    )
    saved = load(tmp_path / "run.safetensors")
    second = parts(seed=99)
    for name, parameter in second[0].items():
        parameter.data = saved["weights"][name]
    for name, part in zip(names[1:], second[1:]):
        part.load_state_dict(saved[name])
    run(second, 15 - stop)

    np.testing.assert_array_equal(second[0]["w"], whole[0]["w"])
    np.testing.assert_array_equal(second[0]["b"], whole[0]["b"])
    np.testing.assert_equal(second[2].state_dict(), whole[2].state_dict())
    assert second[3].get_last_lr() == whole[3].get_last_lr()


def test_a_batch_that_is_no_tuple_is_one_argument():
    @grad
    def of_dict(w, batch):
        return np.sum((batch["x"] @ w - batch["y"]) ** 2)

    @grad
    def of_array(w, x):
        return np.sum((x @ w) ** 2)

    x, y = np.arange(6.0).reshape(2, 3), np.ones(2)
    for function, batch in ((of_dict, {"x": x, "y": y}), (of_array, x)):
        w, by_hand = Parameter(np.ones(3)), Parameter(np.ones(3))
        fit(function, [w], [batch], SGD([w], lr=0.01), epochs=1)
        function.forward(by_hand, batch).backward()
        np.testing.assert_array_equal(w.data, by_hand.data - 0.01 * by_hand.grad)


def test_the_model_comes_in_a_list():
    w = Parameter(np.ones(3))
    with pytest.raises(TypeError, match=r"takes a list .* not a Parameter: \[model\]"):
        fit(loss, w, [], SGD([w], lr=0.1), epochs=1)
