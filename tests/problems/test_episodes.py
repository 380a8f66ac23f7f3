"""Episodes: what may be in one task, what they depend on, and the pixels that they become."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cell import PRESETS, Protocol, protocol_of
from harness.problems import episodes, streams
from harness.problems.base import sent
from harness.problems.datasets.base import CHARACTERS, DRAWERS, Dataset
from harness.problems.episodes import Episodes

PAPER = PRESETS["paper-adam"]
SHOTS = protocol_of(n_way=5, k_shot=5, k_query=3, meta_batch=4)
HALVES = protocol_of(train_characters=30, validation_characters=25, split_seed=3, meta_batch=2)
PROTOCOLS = st.sampled_from([PAPER, SHOTS, HALVES])
SEEDS = st.integers(0, 3) | st.integers(0, 2**63 - 1)
ITERATIONS = st.integers(1, 10**6)
few = settings(max_examples=25, deadline=None, derandomize=True)


def same(a: Episodes, b: Episodes) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def alike(rows: np.ndarray) -> bool:
    """Whether any two entries of a row of the last axis are equal."""
    return bool((np.diff(np.sort(rows, axis=-1), axis=-1) == 0).any())


@few
@given(PROTOCOLS, SEEDS, ITERATIONS)
def test_what_is_in_a_task(protocol: Protocol, seed: int, iteration: int) -> None:
    drawn = episodes.training(protocol, seed, iteration)
    shape = protocol.meta_batch, protocol.n_way
    assert drawn.characters.shape == drawn.rotations.shape == shape
    assert drawn.drawers.shape == (*shape, protocol.k_shot + protocol.k_query)
    assert not alike(drawn.characters)  # no character twice in a task, in whatever rotation
    assert not alike(drawn.drawers)  # so query and support share no drawing
    assert set(drawn.characters.flat) <= set(episodes.split(protocol)[0])
    assert set(drawn.rotations.flat) <= {0, 1, 2, 3}
    assert 0 <= drawn.drawers.min() <= drawn.drawers.max() < DRAWERS


@pytest.mark.parametrize("protocol", [PAPER, SHOTS, HALVES], ids=["paper", "5 shots", "small split"])
def test_splits_are_disjoint_and_of_the_protocols_sizes(protocol: Protocol) -> None:
    train, held_out = episodes.split(protocol)
    assert len(set(train)) == len(train) == protocol.train_characters
    assert len(set(held_out)) == len(held_out) == protocol.validation_characters
    assert not set(train) & set(held_out)
    assert {*train, *held_out} <= set(range(CHARACTERS))
    assert set(episodes.validation(protocol, 32).characters.flat) <= set(held_out)


def test_another_split_seed_is_another_split() -> None:
    first, second = (set(episodes.split(protocol_of(split_seed=seed))[0]) for seed in (0, 1))
    assert first != second


def test_every_character_drawer_and_rotation_occurs() -> None:
    drawn = [episodes.training(PAPER, 0, i) for i in range(1, 41)]
    characters, rotations, drawers = (np.concatenate(parts).ravel() for parts in zip(*drawn, strict=True))
    assert len(set(characters)) == PAPER.train_characters
    assert min(np.bincount(drawers, minlength=DRAWERS)) > 0.8 * len(drawers) / DRAWERS
    assert min(np.bincount(rotations, minlength=4)) > 0.9 * len(rotations) / 4


def test_without_rotation_the_rest_is_the_same() -> None:
    upright = episodes.training(protocol_of(rotate=False), 0, 1)
    turned = episodes.training(PAPER, 0, 1)
    assert not upright.rotations.any()
    assert turned.rotations.any()
    assert same(upright._replace(rotations=turned.rotations), turned)


def test_the_same_in_whatever_order_asked() -> None:
    forth = {i: episodes.training(SHOTS, 1, i) for i in range(1, 6)}
    back = {i: episodes.training(SHOTS, 1, i) for i in range(5, 0, -1)}
    assert all(same(forth[i], back[i]) for i in forth)


@few
@given(SEEDS, ITERATIONS, st.integers(1, 20))
def test_a_smaller_meta_batch_is_the_start_of_a_larger_one(seed: int, iteration: int, tasks: int) -> None:
    smaller = episodes.training(protocol_of(meta_batch=tasks), seed, iteration)
    larger = episodes.training(protocol_of(meta_batch=20), seed, iteration)
    assert same(smaller, Episodes(*(part[:tasks] for part in larger)))


def test_different_seeds_and_iterations_differ() -> None:
    """Also where a remainder or fewer bits of either would be the same."""
    steps = [0, 1, 7, 10, 100, 1000, 2**16, 2**31, 2**32]
    places = [(seed, 1 + step) for seed in (*steps, 2**53, 2**53 + 1, 2**63 - 1) for step in steps]
    drawn = {b"".join(part.tobytes() for part in episodes.training(SHOTS, *place)) for place in places}
    assert len(drawn) == len(places)


def test_validation_differs_from_training_in_more_than_its_characters() -> None:
    """The same keys over other characters would be the same tasks in disguise."""
    protocol = protocol_of(train_characters=400, validation_characters=400)
    held_out = episodes.validation(protocol, protocol.meta_batch)
    for iteration in (0, 1):
        drawn = episodes.training(protocol, protocol.split_seed, iteration)
        assert not np.array_equal(drawn.drawers, held_out.drawers)
        assert not np.array_equal(drawn.rotations, held_out.rotations)


def test_validation_is_one_set_of_episodes() -> None:
    """It takes no seed and no iteration; only the fields that define it move it."""
    ours = episodes.validation(PAPER, 32)
    assert len(ours.characters) == 32
    assert same(ours, episodes.validation(PRESETS["paper-sgd"], 32))
    assert not same(ours, episodes.validation(protocol_of(split_seed=1), 32))


def test_golden_values() -> None:
    """If these move, no record made before may stand beside one made now: raise records.NUMERICS."""
    train, held_out = episodes.split(PAPER)
    assert train[:5].tolist() == GOLDEN["train"]
    assert held_out[:5].tolist() == GOLDEN["held_out"]
    for name, drawn in {
        "first": episodes.training(PAPER, 0, 1),
        "far": episodes.training(PAPER, 3, 500),
        "validation": episodes.validation(PAPER, 32),
    }.items():
        ours = (drawn.characters[-1, -5:], drawn.rotations[-1, -5:], drawn.drawers[-1, -5:].ravel())
        assert [part.tolist() for part in ours] == GOLDEN[name], name


GOLDEN = {
    "train": [338, 1112, 261, 1535, 724],
    "held_out": [553, 195, 1079, 1362, 219],
    "first": [[1599, 852, 1172, 1579, 577], [0, 1, 3, 3, 0], [8, 11, 19, 11, 15, 4, 7, 19, 10, 16]],
    "far": [[143, 356, 593, 1170, 1351], [0, 2, 0, 2, 0], [0, 5, 2, 13, 7, 9, 8, 19, 13, 15]],
    "validation": [[1608, 1211, 1101, 984, 1111], [2, 0, 1, 3, 3], [7, 8, 19, 0, 17, 4, 1, 13, 9, 18]],
}


def of_sizes(*counts: int, split: tuple[int, int] | None = None) -> Dataset:
    """A data set with so many images of each class."""
    images = np.zeros((len(counts), max(counts), 1, 1, 1), np.uint8)
    names = tuple(map(str, range(len(counts))))
    return Dataset(
        name="own", images=images, characters=names, sha256="", counts=np.array(counts), split=split
    )


RAGGED = of_sizes(*(3 + 2 * (k % 4) for k in range(12)))
OWN = protocol_of(
    train_characters=8, validation_characters=4, n_way=4, k_shot=2, k_query=1, meta_batch=4, rotate=False
)


def test_a_data_set_of_omniglots_sizes_has_its_tasks() -> None:
    data = of_sizes(*[DRAWERS] * CHARACTERS)
    for protocol in (PAPER, SHOTS, HALVES):
        assert same(episodes.training(protocol, 3, 5), episodes.training(protocol, 3, 5, data))
        assert same(episodes.validation(protocol, 8), episodes.validation(protocol, 8, data))


def test_all_images_of_a_class_and_no_others_are_drawn() -> None:
    """Whatever the classes beside it have, and about equally often."""
    drawn = [episodes.training(OWN, 0, i, RAGGED) for i in range(1, 1001)]
    classes = np.concatenate([one.characters.ravel() for one in drawn])
    images = np.concatenate([one.drawers.reshape(-1, 3) for one in drawn])
    assert not alike(images)
    assert set(classes) == set(episodes.split(OWN, RAGGED)[0])
    for one in set(classes):
        times = np.bincount(images[classes == one].ravel(), minlength=9)
        size = RAGGED.sizes[one]
        assert not times[size:].any()
        expected = times.sum() / size
        assert np.abs(times[:size] / expected - 1).max() < 5 / np.sqrt(expected)


def test_large_classes_are_drawn_as_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not all of their images are put in order, which changes nothing; images that a class lacks are equal
    keys at the end of the order."""
    ordered = episodes.training(OWN, 1, 2, RAGGED)
    monkeypatch.setattr(streams, "FEW", 1)
    assert same(episodes.training(OWN, 1, 2, RAGGED), ordered)


MANY = of_sizes(*(40 + 7 * (k % 90) for k in range(300)), split=(200, 100))
DIGESTS: dict[str, tuple[Protocol, Dataset | None]] = {
    "e2b1f0eff4675e29": (PAPER, None),
    "dd7cb78d6aa2f50e": (protocol_of(n_way=5, meta_batch=32), None),
    "4128740114248229": (protocol_of(n_way=5, k_shot=5, k_query=15, meta_batch=32, rotate=False), None),
    "189278da0ff18f6c": (
        protocol_of(n_way=5, meta_batch=32, train_characters=1100, validation_characters=100),
        None,
    ),
    "33ceb5557ff27f51": (HALVES, None),
    "43c4c0fab9dca59e": (protocol_of(train_characters=20, validation_characters=20, meta_batch=2), None),
    "038e2a6357103857": (OWN, RAGGED),
    "535763c47a73c639": (
        protocol_of(
            train_characters=150, validation_characters=80, n_way=7, k_shot=3, k_query=2, meta_batch=5
        ),
        MANY,
    ),
}
"""By what `digest` gave when all keys were put in order."""


@pytest.mark.parametrize("known", DIGESTS)
def test_golden_digests(known: str) -> None:
    """Every number of some iterations, of validation and of a meta-test."""
    protocol, data = DIGESTS[known]
    drawn = [
        episodes.training(protocol, seed, iteration, data)
        for seed in (0, 1, 2**62)
        for iteration in (1, 2, 777, 60000)
    ]
    drawn += [episodes.validation(protocol, 9, data), episodes.meta_test(protocol, 3, 11, data)]
    parts = b"".join(np.ascontiguousarray(part, "<i8").tobytes() for one in drawn for part in one)
    assert hashlib.sha256(parts).hexdigest()[:16] == known


def test_a_data_sets_own_split_is_kept() -> None:
    data = of_sizes(*[4] * 12, split=(7, 4))
    for seed in (0, 1):
        protocol = protocol_of(**OWN.model_dump() | {"train_characters": 5, "split_seed": seed})
        train, held_out = episodes.split(protocol, data)
        assert (train.tolist(), held_out.tolist()) == ([0, 1, 2, 3, 4], [7, 8, 9, 10])
        assert set(episodes.validation(protocol, 9, data).characters.flat) == {7, 8, 9, 10}


@pytest.mark.parametrize("tasks", [1, 3])
def test_a_smaller_meta_batch_of_uneven_classes_is_too(tasks: int) -> None:
    smaller = protocol_of(**OWN.model_dump() | {"meta_batch": tasks})
    larger = episodes.training(OWN, 2, 9, RAGGED)
    assert same(episodes.training(smaller, 2, 9, RAGGED), Episodes(*(part[:tasks] for part in larger)))


@pytest.mark.parametrize(("shape", "turns"), [((6, 6, 3), True), ((4, 7, 3), False), ((5, 3), False)])
def test_gather_of_any_size_and_channels(shape: tuple[int, ...], turns: bool) -> None:
    """Against numpy.rot90 of whole images, colours and all."""
    images = np.random.default_rng(0).random((12, 9, *shape), np.float32)
    drawn = episodes.training(OWN, 2, 7, RAGGED)
    drawn = drawn._replace(rotations=np.arange(16).reshape(4, 4) % 4 * turns)
    query = episodes.gather(drawn, torch.from_numpy(images), OWN.k_shot, torch.float32).query
    assert query.shape == (4, 4, *shape[:2], *(shape[2:] or (1,)))
    for task, label in np.ndindex(4, 4):
        image = images[drawn.characters[task, label], drawn.drawers[task, label, 2]]
        expected = np.rot90(image, drawn.rotations[task, label]).reshape(query.shape[2:])
        np.testing.assert_array_equal(query[task, label].numpy(), expected)


def test_gather_is_pixel_exact() -> None:
    """Against a loop with numpy.rot90; classes in order, support before query, 0 and 255 as 0 and 1."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (CHARACTERS, DRAWERS, 28, 28), dtype=np.uint8)
    drawn = episodes.training(SHOTS, 2, 7)
    batch = episodes.gather(drawn, torch.from_numpy(images), SHOTS.k_shot, torch.float64)
    assert batch.support.shape == (4, 5 * 5, 28, 28, 1)
    assert batch.query.shape == (4, 5 * 3, 28, 28, 1)
    for part, first, count in ((batch.support, 0, 5), (batch.query, 5, 3)):
        for task in range(4):
            for label in range(5):
                for shot in range(count):
                    image = images[drawn.characters[task, label], drawn.drawers[task, label, first + shot]]
                    expected = np.rot90(image, drawn.rotations[task, label]) / 255
                    ours = part[task, label * count + shot, ..., 0].numpy()
                    np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ink_is_1_and_paper_0(dtype: torch.dtype) -> None:
    images = torch.zeros(CHARACTERS, DRAWERS, 28, 28, dtype=torch.uint8)
    images[:, :, :, :14] = 255  # the left half is ink
    drawn = episodes.training(protocol_of(n_way=4, meta_batch=1), 0, 1)
    drawn = drawn._replace(rotations=np.array([[0, 1, 2, 3]]))
    support = episodes.gather(drawn, images, 1, dtype).support
    assert support.dtype == dtype
    assert set(support.unique().tolist()) == {0.0, 1.0}
    for image, dark in zip(support[0, ..., 0], ("left", "bottom", "right", "top"), strict=True):
        half = {"left": image[:, :14], "right": image[:, 14:], "top": image[:14], "bottom": image[14:]}
        assert half[dark].all(), dark
        assert image.sum() == half[dark].numel()


def test_a_gpu_is_sent_numbers_without_waiting() -> None:
    """There may be no GPU here: what is asked of the tensor is what a copy needs to be without a wait."""
    asked: list[object] = []

    class Numbers:
        def pin_memory(self) -> Numbers:
            asked.append("pinned")
            return self

        def to(self, device: torch.device, non_blocking: bool = False) -> None:
            asked.append((device.type, non_blocking))

    sent(Numbers(), torch.device("cuda"))
    sent(Numbers(), torch.device("cpu"))
    assert asked == ["pinned", ("cuda", True), ("cpu", False)]


def test_labels_are_class_by_class() -> None:
    """As gather lays out the images: all of class 0, then all of class 1, ..."""
    assert episodes.labels(3, 6).tolist() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("split", [None, (7, 4)])
def test_a_meta_test_takes_the_classes_that_are_left(split: tuple[int, int] | None) -> None:
    """None that trains or is held out for validation, and of a split of its own none that may train; in
    blocks that differ."""
    data = of_sizes(*[4] * 13, split=split)
    fields = {"train_characters": 5, "validation_characters": 3, "n_way": 2}
    protocol = protocol_of(**OWN.model_dump() | fields)
    left = set(episodes.left_over(protocol, data))
    others = {int(one) for part in episodes.split(protocol, data) for one in part}
    assert left == ({10, 11, 12} if split else {*range(13)} - others)
    blocks = [episodes.meta_test(protocol, block, 50, data) for block in (0, 1)]
    assert all(set(one.characters.flat) == left for one in blocks)
    assert not same(*blocks)
    assert same(episodes.meta_test(protocol, 0, 20, data), Episodes(*(part[:20] for part in blocks[0])))


def test_a_meta_test_takes_the_validations_classes_if_none_are_left() -> None:
    """In tasks of its own."""
    tests = episodes.meta_test(PAPER, 0, 32)
    assert set(tests.characters.flat) <= set(episodes.split(PAPER)[1])
    held_out = episodes.validation(PAPER, 32)
    for ours, theirs in zip(tests, held_out, strict=True):
        assert not np.array_equal(ours, theirs)
