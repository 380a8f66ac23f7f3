"""The embedded data set. The whole of it is built once and cached in data/, which takes some 10 s."""

import unicodedata

import numpy as np
import pytest

from harness.problems import datasets
from harness.problems.datasets import glyphs


@pytest.fixture(scope="session")
def dataset():
    return datasets.load("glyphs")


def test_it_has_omniglots_shape(dataset):
    assert dataset.name == "glyphs"
    assert dataset.images.shape == (1623, 20, 28, 28)
    assert dataset.images.dtype == np.uint8
    assert not dataset.images.flags.writeable


def test_characters_are_distinct_letters_in_the_order_of_their_code_points(dataset):
    codes = [ord(name[-1]) for name in dataset.characters]
    assert codes == sorted(set(codes))
    assert all(unicodedata.category(chr(code)).startswith("L") for code in codes)
    assert dataset.characters[0] == "U+0041 A"


def test_no_two_pictures_are_the_same(dataset):
    pictures = {picture.tobytes() for picture in dataset.images.reshape(-1, 28 * 28)}
    assert len(pictures) == 1623 * 20


def test_pixels_are_those_of_this_version(dataset):
    """The pinned digest: if the drawing was changed on purpose, count glyphs.VERSION up and renew it."""
    assert dataset.sha256 == "791cf5d62aed7861fe55158bf12daf6478b578ae55b8f6b8692fb73fb032a486"


def test_a_letter_is_drawn_alike_in_whatever_company(dataset):
    """Also against the cache: a change of the drawing that left glyphs.VERSION alone is seen here."""
    chosen = [1500, 3, 700]
    again = glyphs.draw([ord(dataset.characters[k][-1]) for k in chosen])
    assert np.array_equal(again, dataset.images[chosen])


def test_letters_are_taken_in_order_unless_they_are_twins(dataset):
    first = glyphs.letters()[:200]
    taken = [ord(name[-1]) for name in dataset.characters if ord(name[-1]) <= first[-1]]
    assert glyphs.distinct(first) == taken
    assert ord("o") not in taken  # scaled to one size it is O again
    assert {ord("b"), ord("d"), ord("p"), ord("q")} <= set(taken)


def test_twins_in_outline_are_taken_once():
    latin, greek, cyrillic = "AHX", "ΑΗΧ", "АНХ"
    assert glyphs.distinct([ord(c) for c in latin + greek + cyrillic]) == [ord(c) for c in latin]


def test_hands_differ_and_letters_stay_readable(dataset):
    """20-way 1-shot by the nearest of blurred pictures: better than chance (0.05) by far, and not easy."""
    rng = np.random.Generator(np.random.Philox(key=0))
    blocks = (
        dataset.images.astype(np.float32).reshape(1623, 20, 7, 4, 7, 4).mean((3, 5)).reshape(1623, 20, 49)
    )
    blocks /= np.linalg.norm(blocks, axis=-1, keepdims=True)
    right = []
    for _ in range(200):
        characters, (one, other) = rng.choice(1623, 20, replace=False), rng.choice(20, 2, replace=False)
        nearest = (blocks[characters, one] @ blocks[characters, other].T).argmax(1)
        right.append(nearest == np.arange(20))
    assert 0.3 < np.mean(right) < 0.6


def test_ink_and_size_are_near_omniglots(dataset):
    """Omniglot at 28 x 28: mean ink 0.084; the longer side has a median of 18 pixels."""
    assert dataset.images.mean() / 255 == pytest.approx(0.084, abs=0.005)
    inked = dataset.images.reshape(-1, 28, 28) > 80
    longer = np.maximum(inked.any(1).sum(1), inked.any(2).sum(1))
    assert np.median(longer) == pytest.approx(18, abs=1)
    assert dataset.images.max((2, 3)).min() > 80  # no picture is blank or faint


def test_resize_has_no_meaning(dataset):
    assert glyphs.load("nearest").sha256 == dataset.sha256


def test_thinning_leaves_the_middle_of_a_bar():
    bar = np.zeros((2, 9, 15), bool)
    bar[0, 2:7, 2:13] = True
    bar[1, 4, 4] = True
    line = glyphs.thin(bar)
    assert line[0].sum(0).max() == 1
    assert set(np.nonzero(line[0])[0]) == {4}
    assert line[0].sum() >= 6
    assert np.array_equal(line[1], bar[1])  # a dot stays
