"""Datasets, loaders and splits: every sample once, in an order that a seed gives again; a thread that ends."""

import copy
import threading
from typing import NamedTuple

import numpy as np
import pytest

from srcgrad.data import ArrayDataset, DataLoader, Dataset, Subset, collate, random_split, train_test_split

pytestmark = pytest.mark.quick


@pytest.fixture
def dataset():
    return ArrayDataset(np.arange(10.0)[:, None] * [1, 10], np.arange(10))


class Squares(Dataset):
    """Made sample by sample."""

    def __len__(self):
        return 5

    def __getitem__(self, index):
        return {"x": float(index), "y": np.array([index, index**2])}


# datasets


def test_rows_come_together(dataset):
    x, label = dataset[3]
    assert x.tolist() == [3, 30]
    assert label == 3
    assert len(dataset) == 10


def test_gathered_rows_are_a_copy(dataset):
    x, labels = dataset.gather(np.array([2, 0]))
    x[...] = -1
    assert labels.tolist() == [2, 0]
    assert dataset.arrays[0][2].tolist() == [2, 20]


def test_npy_files_are_mapped_not_read(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(12.0).reshape(6, 2))
    np.save(tmp_path / "y.npy", np.arange(6))
    dataset = ArrayDataset.from_npy(tmp_path / "x.npy", tmp_path / "y.npy")
    assert all(isinstance(array, np.memmap) for array in dataset.arrays)
    x, y = next(iter(DataLoader(dataset, batch_size=4)))
    assert type(x) is type(y) is np.ndarray
    assert x.flags.writeable
    assert x.tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]


@pytest.mark.parametrize("arrays", [(np.ones(3), np.ones(4)), (np.ones(3), np.float64(1.0))])
def test_rows_have_to_match(arrays):
    with pytest.raises(ValueError, match=r"equally many rows, but have shapes \(3,\), \("):
        ArrayDataset(*arrays)
    with pytest.raises(ValueError, match="at least one array"):
        ArrayDataset()


def test_a_subset_of_a_subset(dataset):
    evens = Subset(dataset, range(0, 10, 2))
    chosen = Subset(evens, [4, 1])
    assert [label for _, label in (chosen[0], chosen[1])] == [8, 2]
    assert chosen.gather(np.array([1, 0]))[1].tolist() == [2, 8]
    with pytest.raises(IndexError, match="indices from 0 to 5 for 5 samples"):
        Subset(evens, [0, 5])
    with pytest.raises(IndexError, match="indices from -1 to 0"):
        Subset(evens, [-1, 0])


def test_a_dataset_has_to_say_how_many_and_which():
    with pytest.raises(NotImplementedError, match="write __len__"):
        len(Dataset())
    with pytest.raises(NotImplementedError, match="write __getitem__"):
        Dataset()[0]


# batches


@pytest.mark.parametrize("prefetch", [0, 2])
def test_every_sample_once_in_every_epoch(dataset, prefetch):
    loader = DataLoader(dataset, batch_size=4, shuffle=True, generator=0, prefetch=prefetch)
    epochs = [np.concatenate([labels for _, labels in loader]) for _ in range(2)]
    for order in epochs:
        assert sorted(order) == list(range(10))
    assert epochs[0].tolist() != epochs[1].tolist()
    again = DataLoader(dataset, batch_size=4, shuffle=True, generator=np.random.default_rng(0))
    assert np.concatenate([labels for _, labels in again]).tolist() == epochs[0].tolist()


def test_the_last_batch_is_smaller_or_left_out(dataset):
    assert [len(y) for _, y in DataLoader(dataset, 4)] == [4, 4, 2]
    assert [len(y) for _, y in DataLoader(dataset, 4, drop_last=True)] == [4, 4]
    assert (len(DataLoader(dataset, 4)), len(DataLoader(dataset, 4, drop_last=True))) == (3, 2)
    assert len(DataLoader(dataset)) == 10
    assert list(DataLoader(ArrayDataset(np.ones((0, 2))), 4)) == []


@pytest.mark.parametrize("prefetch", [0, 3])
def test_samples_are_collated(prefetch):
    first, last = DataLoader(Squares(), 3, prefetch=prefetch)
    assert first["x"].tolist() == [0, 1, 2]
    assert last["y"].tolist() == [[3, 9], [4, 16]]


def test_what_collates():
    class Sample(NamedTuple):
        image: np.ndarray
        name: str

    batch = collate([Sample(np.zeros(2), "a"), Sample(np.ones(2), "b")])
    assert type(batch) is Sample
    assert batch.image.shape == (2, 2)
    assert batch.name == ["a", "b"]
    assert collate([(1, [2.0]), (3, [4.0])])[1][0].tolist() == [2.0, 4.0]
    assert collate([np.float32(1), np.float32(2)]).dtype == np.float32
    with pytest.raises(ValueError, match=r"shapes \(1,\), \(2,\) do not stack: pad them in a collate_fn"):
        collate([np.ones(1), np.ones(2)])


def test_a_collate_of_ones_own(dataset):
    loader = DataLoader(dataset, 5, collate_fn=len)
    assert list(loader) == [5, 5]


@pytest.mark.parametrize(
    ("options", "message"), [({"batch_size": 0}, "batch_size=0"), ({"prefetch": -1}, "0 or more, not -1")]
)
def test_sizes_out_of_range(dataset, options, message):
    with pytest.raises(ValueError, match=message):
        DataLoader(dataset, **options)


# a thread that prepares batches


def test_batches_are_prepared_ahead_but_no_more_than_asked():
    made = []
    enough = threading.Event()

    class Counting(Squares):
        def __getitem__(self, index):
            made.append(index)
            if len(made) == 3:
                enough.set()
            return index

    batches = iter(DataLoader(Counting(), prefetch=2))
    next(batches)
    assert enough.wait(10)
    assert made == [0, 1, 2]
    assert [int(batch[0]) for batch in batches] == [1, 2, 3, 4]


def test_the_thread_ends_with_an_iteration_left_early(dataset):
    before = threading.active_count()
    for _ in DataLoader(dataset, prefetch=2):
        break
    iterator = iter(DataLoader(dataset, prefetch=2))
    next(iterator)
    iterator.close()
    assert threading.active_count() == before


@pytest.mark.parametrize("prefetch", [0, 2])
def test_an_error_in_a_sample_comes_at_its_place(prefetch):
    class Broken(Squares):
        def __getitem__(self, index):
            return 1 // (3 - index)

    batches = iter(DataLoader(Broken(), prefetch=prefetch))
    for _ in range(3):
        next(batches)
    with pytest.raises(ZeroDivisionError):
        next(batches)


def test_the_thread_sees_numpys_error_state(dataset):
    class Dividing(Squares):
        def __getitem__(self, index):
            return np.array([1.0]) / 0.0

    with np.errstate(divide="ignore"):
        assert np.isinf(next(iter(DataLoader(Dividing(), prefetch=1)))).all()


# going on


@pytest.mark.parametrize("prefetch", [0, 2])
@pytest.mark.parametrize("stop", range(9))
def test_a_loader_goes_on_from_its_state_dict(dataset, stop, prefetch):
    """Whichever batch is at hand, the batches after it are those that would have come, in this epoch and the next."""

    def labels(loader, epochs):
        return [(y.tolist(), loader.state_dict()) for _ in range(epochs) for _, y in loader]

    def made(seed):
        return DataLoader(dataset, 4, shuffle=True, generator=seed, prefetch=prefetch)

    reference = labels(made(0), 4)
    saved = reference[stop][1]
    before = copy.deepcopy(saved)
    resumed = made(99)
    resumed.load_state_dict(saved)
    assert resumed.state_dict() == saved == before
    following = [y for y, _ in labels(resumed, 4)]
    expected = [y for y, _ in reference[stop + 1 :]]
    assert following[: len(expected)] == expected


def test_the_state_of_other_data_is_refused(dataset):
    with pytest.raises(ValueError, match="the state is of 10 samples, and there are 5"):
        DataLoader(Squares()).load_state_dict(DataLoader(dataset).state_dict())


# splits


def test_random_split_gives_every_sample_to_one_part(dataset):
    parts = random_split(dataset, [0.5, 0.3, 0.2], generator=0)
    assert [len(part) for part in parts] == [5, 3, 2]
    assert sorted(label for part in parts for _, label in (part[i] for i in range(len(part)))) == list(range(10))
    assert random_split(dataset, [7, 3], generator=0)[1].indices.tolist() == [
        *random_split(dataset, [7, 3], generator=0)[1].indices
    ]
    assert [len(part) for part in random_split(dataset, [1 / 3, 1 / 3, 1 / 3])] == [4, 3, 3]


@pytest.mark.parametrize("lengths", [[7, 2], [0.5, 0.4], [1.5, -0.5], [11, -1]])
def test_lengths_that_do_not_add_up(dataset, lengths):
    with pytest.raises(ValueError, match="add up to"):
        random_split(dataset, lengths)


def test_train_test_split_keeps_rows_together():
    x = np.arange(20)[:, None] * [1, 100]
    y = np.arange(20)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, generator=1)
    assert x_train.shape == (16, 2)
    assert len(y_test) == 4
    assert (x_test[:, 0] == y_test).all()
    assert (x_train[:, 1] == 100 * y_train).all()
    assert sorted([*y_train, *y_test]) == list(range(20))
    assert len(train_test_split(y, test_size=3)[1]) == 3


def test_stratified_parts_have_their_share_of_every_class():
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    train, test = train_test_split(labels, test_size=0.2, stratify=labels, generator=0)
    assert np.bincount(test).tolist() == [12, 6, 2]
    assert np.bincount(train).tolist() == [48, 24, 8]
    with pytest.raises(ValueError, match="some class has too few rows"):
        train_test_split(labels, test_size=0.01, stratify=labels)


@pytest.mark.parametrize("test_size", [0.0, 1.0, 0, 10])
def test_parts_need_rows(test_size):
    with pytest.raises(ValueError, match=f"test_size={test_size} of 10 rows leaves no rows"):
        train_test_split(np.arange(10), test_size=test_size)
