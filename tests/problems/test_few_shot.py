"""Few-shot classification with any data set: what a protocol takes from it, and its tasks."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from harness.cell import Protocol, protocol_of
from harness.common.errors import UserError
from harness.problems import dataset, problem_of
from harness.problems.base import TEST_BLOCK, Batch
from harness.problems.datasets import DATASETS
from harness.problems.few_shot import FewShot, images_of

CPU = torch.device("cpu")
Add = Callable[..., Protocol]


@pytest.fixture
def add(forgotten: None) -> Add:
    """Makes a data set `birds` known for the length of a test; the protocol of it."""

    def add(classes: dict[str, np.ndarray], **wanted: Any) -> Protocol:
        dataset("birds", **wanted)(lambda: classes)
        return protocol_of(dataset="birds")

    return add


def pixels(classes: int, images: int, *shape: int, dtype: str = "uint8") -> dict[str, np.ndarray]:
    """Random images."""
    made = np.random.default_rng(0).integers(0, 256, (classes, images, *shape)).astype(dtype)
    return {f"class {c:04}": these for c, these in enumerate(made)}


SMALL = {"train_characters": 6, "validation_characters": 4, "n_way": 3}


def test_a_protocol_has_what_its_data_set_wants(add: Add) -> None:
    protocol = add(pixels(10, 4, 8, 8), **SMALL, k_shot=2)
    assert (protocol.n_way, protocol.k_shot, protocol.train_characters, protocol.rotate) == (3, 2, 6, False)
    given = protocol_of(dataset="birds", n_way=2, rotate=True)
    assert (given.n_way, given.k_shot, given.rotate) == (2, 2, True)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"n_ways": 5}, "n_ways is not a field of few-shot classification; did you mean n_way?"),
        ({"dataset": "glyphs"}, "dataset is not a field of few-shot classification; one of split_seed, "),
        ({"n_way": "five"}, "n_way: Input should be a valid integer"),
        ({"k_shot": 0}, "k_shot: Input should be greater than or equal to 1"),
        ({"split": (64, 0)}, "split is (64, 0); write two numbers, such as (64, 16)"),
        ({"split": 64}, "split is 64; write two numbers, such as (64, 16)"),
    ],
)
def test_what_it_cannot_want_is_refused_at_once(wanted: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=re.escape(f"data set 'birds': {said}")):
        dataset("birds", **wanted)
    assert "birds" not in DATASETS


def test_a_decorator_without_a_name_is_refused() -> None:
    with pytest.raises(UserError, match=re.escape("@harness.dataset('birds')")):
        dataset(lambda: {})


def test_a_name_that_is_taken_is_refused(add: Add) -> None:
    with pytest.raises(UserError, match="data set 'glyphs' is built in; choose another"):
        dataset("glyphs")(lambda: {})


def test_loaded_once_and_again_when_it_is_another(add: Add) -> None:
    calls: list[int] = []

    def load() -> dict[str, np.ndarray]:
        calls.append(1)
        return pixels(10, 4, 8, 8)

    dataset("birds", **SMALL)(load)
    problem = problem_of(protocol_of(dataset="birds"))
    assert calls == []
    problem.check()
    problem.batch([0, 1], "train", 1, CPU, torch.float32)
    assert problem_of(protocol_of(dataset="birds", n_way=2)).digest == problem.digest
    assert len(calls) == 1
    before = problem.digest
    add(pixels(10, 4, 9, 9), **SMALL)  # as when a cell of a notebook is run again
    assert problem.digest != before
    assert problem.batch([0], "train", 1, CPU, torch.float32).support.shape[-1] == 9


UNEVEN = pixels(10, 5, 8, 8) | {"class 0007": pixels(8, 2, 8, 8)["class 0007"]}


@pytest.mark.parametrize(
    ("wanted", "classes", "said"),
    [
        (
            SMALL | {"train_characters": 7},
            pixels(10, 5, 8, 8),
            r"it has 10 classes; train_characters \+ .* are 11",
        ),
        (SMALL | {"k_query": 2}, UNEVEN, r"class class 0007 has 2 images; k_shot \+ k_query are 3"),
        (SMALL | {"rotate": True}, pixels(10, 5, 8, 9), "8 x 9 pixels cannot be rotated; write rotate: fal"),
        ({"split": (6, 4), "n_way": 3, "train_characters": 7}, pixels(11, 5, 8, 8), "is 7; its split has 6"),
    ],
    ids=["classes", "images", "sides", "split"],
)
def test_what_is_too_small_is_refused(
    add: Add, wanted: dict[str, Any], classes: dict[str, np.ndarray], said: str
) -> None:
    with pytest.raises(UserError, match=f"^data set 'birds': .*{said}"):
        problem_of(add(classes, **wanted)).check()


def test_a_way_beyond_the_smaller_split_is_refused_with_the_protocol(add: Add) -> None:
    with pytest.raises(ValidationError, match="n_way is 20; the smaller split has 4 characters"):
        add(pixels(10, 5, 8, 8), train_characters=6, validation_characters=4)


@pytest.mark.parametrize(("dtype", "scale"), [("uint8", 255), ("float32", 1)])
def test_images_in_their_own_numbers(add: Add, dtype: str, scale: float) -> None:
    """uint8 becomes 0 ... 1; floats are used as they are."""
    classes = pixels(10, 4, 8, 8, 3, dtype=dtype)
    problem = problem_of(add(classes, **SMALL, k_shot=2))
    batch = problem.batch([5], "train", 3, CPU, torch.float64)
    drawn = problem.episodes(5, "train", 3)
    assert batch.support.shape == (1, problem.protocol.meta_batch, 6, 3, 8, 8)
    assert batch.support.dtype == torch.float64
    for task in range(problem.protocol.meta_batch):
        for label in range(3):
            image = classes[f"class {drawn.characters[task, label]:04}"][drawn.drawers[task, label, 2]]
            ours = batch.query[0, task, label].numpy()
            np.testing.assert_array_equal(ours, image.transpose(2, 0, 1) / scale)


def test_a_data_set_larger_than_omniglot_is_used_whole(add: Add) -> None:
    """Not only as many of its classes and images as Omniglot has."""
    problem = problem_of(add(pixels(2000, 30, 2, 2), train_characters=1500, validation_characters=500))
    problem.check()
    drawn = [problem.episodes(0, split, 1) for split in ("train", "validation")]
    classes, images = (np.concatenate([part[at].ravel() for part in drawn]) for at in (0, 2))
    assert max(classes) > 1900
    assert set(images) == set(range(30))


def test_on_a_cpu_the_images_are_not_copied(add: Add) -> None:
    problem = problem_of(add(pixels(10, 4, 8, 8), **SMALL))
    data = problem._data
    assert images_of(data, CPU).data_ptr() == data.images.ctypes.data


def test_tasks_are_those_of_the_batch(add: Add) -> None:
    problem = problem_of(add(pixels(10, 4, 8, 8, 3), **SMALL))
    alone = problem.tasks(1, "train", 2)
    both = problem.batch([0, 1], "train", 2, CPU, torch.float32)
    for name in alone._fields:
        assert torch.equal(getattr(alone, name), getattr(both, name)[1]), name


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_what_is_made_from_numbers_is_the_batch(add: Add, split: str) -> None:
    problem = problem_of(add(pixels(13, 4, 8, 8, 3), **SMALL, rotate=True, k_shot=2))
    numbers = problem.numbers([0, 1], split, range(2, 5))
    assert numbers.shape[:3] == (3, 2, problem.count(split))
    assert not numbers.is_floating_point()
    for at, iteration in enumerate(range(2, 5)):
        made = problem.made(numbers[at], torch.float32)
        batch = problem.batch([0, 1], split, iteration, CPU, torch.float32)
        assert all(map(torch.equal, made, batch))


def test_a_subclass_with_a_batch_of_its_own_has_no_numbers(add: Add) -> None:
    class Negative(FewShot):
        def batch(self, *args: Any) -> Batch:
            ours = super().batch(*args)
            return ours._replace(support=1 - ours.support)

    protocol = add(pixels(13, 4, 8, 8), **SMALL)
    own, plain = Negative(protocol), problem_of(protocol)
    assert own.numbers([0], "train", [1]) is None
    place = [0], "train", 1, CPU, torch.float32
    assert torch.equal(own.batch(*place).support, 1 - plain.batch(*place).support)


def test_what_a_meta_test_is_made_of(add: Add) -> None:
    protocol = add(pixels(13, 4, 8, 8), **SMALL, k_shot=1)
    said = {
        (6, 4): "the 3 classes that neither train nor validate",
        (9, 4): "the 4 classes of the validation, as no others are left",
    }
    for (train, held_out), words in said.items():
        fields = {"train_characters": train, "validation_characters": held_out}
        problem = problem_of(protocol_of(**protocol.model_dump() | fields))
        assert problem.tested_on() == words
        tasks = problem.tasks(0, "test", 3)
        assert len(tasks.support) == problem.count("test") == TEST_BLOCK
    short = problem_of(protocol_of(**protocol.model_dump() | {"train_characters": 7}))
    with pytest.raises(UserError, match=r"2 classes left for a meta-test of 3 classes; write fewer"):
        short.tested_on()
