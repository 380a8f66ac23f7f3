"""Omniglot's reader, on two characters drawn by chance; with OMNIGLOT_ROOT on the real data too."""

import hashlib
import os
import zipfile
from dataclasses import replace
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
from PIL import Image

from harness.common.errors import UserError
from harness.problems import datasets
from harness.problems.datasets import omniglot

PAPER = np.random.Generator(np.random.Philox(key=1)).random((40, 105, 105)) > 0.1
CHARACTERS = ("Z/character01", "Z_(old)/character01")  # '/' sorts before '_', whatever the tree says
PART = omniglot.Part(
    name="images_tiny",
    characters=2,
    sha256=hashlib.sha256(b"".join(np.packbits(p.ravel()).tobytes() for p in PAPER)).hexdigest(),
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """OMNIGLOT_ROOT with the part as a folder, beside an empty data/."""
    root = tmp_path / "root"
    monkeypatch.setenv("OMNIGLOT_ROOT", str(root))
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    for k, paper in enumerate(PAPER):
        file = root / PART.name / CHARACTERS[k // 20] / f"0001_{k % 20 + 1:02}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(paper).save(file)
    return root / PART.name


def _zip(folder: Path, target: Path) -> Path:
    target.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__MACOSX/note.png", b"no picture")
        for file in sorted(folder.rglob("*.png"), reverse=True):
            archive.write(file, file.relative_to(folder.parent))
    return target


@pytest.mark.parametrize("under", ["", "omniglot-py"])
@pytest.mark.parametrize("root", ["root", "data"])
def test_folders_and_zips_are_found_and_read(folder, tmp_path, under, root):
    target = _zip(folder, tmp_path / "away.zip")
    place = tmp_path / root / under
    place.mkdir(parents=True, exist_ok=True)
    folder.rename(tmp_path / PART.name).rename(place / PART.name)
    for source in (place / PART.name, place / f"{PART.name}.zip"):
        if source.suffix:
            target.rename(source)  # a zip beside the folder goes first
        assert omniglot.find(PART) == source
        paper, characters = omniglot.read(PART, source)
        assert np.array_equal(paper, PAPER)
        assert characters == CHARACTERS


def test_what_does_not_belong_to_it_is_ignored(folder, tmp_path):
    """Of the system, of an editor, of the user; also when all of it was zipped."""
    first = folder / CHARACTERS[0]
    for name in ("._0001_01.png", ".DS_Store", "Thumbs.db", "0001_01 copy.png", "0001_01.png.part"):
        (first / name).write_bytes(b"no picture")
    for name in (
        "__MACOSX/character01",
        ".Trash/character01",
        "mine/deeper/character01",
        "Z/mine",
        "Z/.hidden",
    ):
        (folder / name).mkdir(parents=True)
        (folder / name / "._0001_01.png").write_bytes(b"no picture")
    (folder / ".Trash" / "character01" / "0001_01.png").write_bytes(b"no picture")
    (folder / "notes.png").write_bytes(b"no picture")
    (first / "0001_07.png").rename(first / "0001_07.PNG")
    target = tmp_path / "all.zip"
    with zipfile.ZipFile(target, "w") as archive:
        for file in folder.rglob("*"):
            archive.write(file, file.relative_to(folder.parent))
        archive.writestr(f"__MACOSX/{PART.name}/{CHARACTERS[0]}/0001_01.png", b"no picture")
    for source in (folder, target):
        paper, characters = omniglot.read(PART, source)
        assert np.array_equal(paper, PAPER)
        assert characters == CHARACTERS


def test_folders_that_programs_make_of_a_zip(folder, tmp_path):
    """A folder within a folder of the same name, links, and a folder that is called a zip."""
    (folder.parent / f"{PART.name}.zip").mkdir()
    assert omniglot.find(PART) == folder
    folder.rename(tmp_path / "away")
    with pytest.raises(UserError, match="no images_tiny"):
        omniglot.find(PART)
    folder.mkdir()
    (folder / PART.name).symlink_to(tmp_path / "away")
    assert omniglot.find(PART) == folder / PART.name
    assert np.array_equal(omniglot.read(PART, omniglot.find(PART))[0], PAPER)


def test_missing_data_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.delenv("OMNIGLOT_ROOT", raising=False)
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    with pytest.raises(UserError) as caught:
        omniglot.load("lanczos")
    for part in (
        "images_background",
        str(tmp_path),
        "harness data omniglot",
        "OMNIGLOT_ROOT",
        "DATASET=glyphs",
    ):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_zip_is_named(folder, tmp_path):
    whole = _zip(folder, tmp_path / "whole.zip").read_bytes()
    cut = tmp_path / "cut.zip"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"cut\.zip is damaged .*: delete it and run `harness data omniglot`"):
        omniglot.read(PART, cut)
    rotten = tmp_path / "rotten.zip"
    rotten.write_bytes(whole[:5000] + bytes(300) + whole[5300:])
    with pytest.raises(UserError, match=r"images_tiny/Z.*\.png in .*rotten\.zip is damaged"):
        omniglot.read(PART, rotten)


def test_a_wrong_pixel_is_seen(folder):
    file = folder / CHARACTERS[1] / "0001_20.png"
    wrong = PAPER[39].copy()
    wrong[104, 104] ^= True
    Image.fromarray(wrong).save(file)
    with pytest.raises(UserError, match=r"images_tiny is damaged \(its pixels are not Omniglot's"):
        omniglot.read(PART, folder)


def test_a_truncated_or_resized_picture_is_named(folder):
    file = folder / CHARACTERS[0] / "0001_03.png"
    whole = file.read_bytes()
    for content in (whole[:200], b""):
        file.write_bytes(content)
        with pytest.raises(UserError, match=r"images_tiny/Z/character01/0001_03\.png in .* is damaged"):
            omniglot.read(PART, folder)
    Image.fromarray(PAPER[2]).resize((28, 28)).save(file)
    with pytest.raises(UserError, match=r"0001_03\.png in .*28 x 28 pixels instead of 105 x 105"):
        omniglot.read(PART, folder)


def test_a_lost_picture_is_seen(folder):
    (folder / CHARACTERS[0] / "0001_20.png").unlink()
    with pytest.raises(UserError, match="39 images of 2 characters instead of 40 of 2, 20 each"):
        omniglot.read(PART, folder)


def test_resizes_are_what_pillow_gives_for_each_picture():
    for reading, mode in (("lanczos", "L"), ("nearest", "1")):
        expected = [
            255
            - np.asarray(
                Image.fromarray(p).convert(mode).resize((28, 28), Image.Resampling.LANCZOS).convert("L")
            )
            for p in PAPER[:5]
        ]
        assert np.array_equal(omniglot.RESIZES[reading](PAPER[:5]), expected)


def test_ink_is_255_and_nearest_takes_the_pixel_under_the_centre():
    paper = np.ones((1, 105, 105), bool)
    paper[0, :, :30] = False
    assert np.array_equal(omniglot.nearest(paper)[0], np.tile([255] * 8 + [0] * 20, (28, 1)).astype(np.uint8))
    grey = omniglot.lanczos(paper)[0]
    assert (grey[:, :5] == 255).all()
    assert (grey[:, 11:] <= 1).all()


def test_an_unknown_resize_is_refused():
    with pytest.raises(UserError, match="'cubic' is unknown: it is one of lanczos, nearest"):
        omniglot.load("cubic")


def test_both_parts_make_the_data_set_once(folder, monkeypatch):
    _zip(folder, folder.parent / "images_more.zip")
    with zipfile.ZipFile(folder.parent / "images_more.zip") as archive:
        archive.extractall(folder.parent / "more")
    (folder.parent / "more" / PART.name).rename(folder.parent / "images_too")
    (folder.parent / "images_more.zip").unlink()
    monkeypatch.setattr(omniglot, "PARTS", (PART, replace(PART, name="images_too")))
    dataset = omniglot.load("nearest")
    assert dataset.characters == CHARACTERS * 2
    assert dataset.images.shape == (4, 20, 28, 28)
    assert np.array_equal(
        dataset.images.reshape(-1, 28, 28), omniglot.nearest(np.concatenate([PAPER, PAPER]))
    )
    monkeypatch.setattr(omniglot, "find", lambda part: pytest.fail("the cache was not used"))
    assert omniglot.load("nearest").sha256 == dataset.sha256


def test_torchvision_can_be_imported_beside_this_torch():
    assert omniglot.torchvision_omniglot() is omniglot.torchvision_omniglot()
    assert omniglot.torchvision_omniglot().folder == "omniglot-py"


def test_fetching_without_a_network_says_what_to_do(tmp_path, monkeypatch):
    def no_network(place, background, download):
        raise URLError("no route")

    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    monkeypatch.setattr(omniglot, "torchvision_omniglot", lambda: no_network)
    with pytest.raises(UserError) as caught:
        omniglot.fetch()
    for part in ("no route", "images_background.zip", str(tmp_path), "OMNIGLOT_ROOT", "DATASET=glyphs"):
        assert part in str(caught.value)


@pytest.mark.omniglot
@pytest.mark.skipif(not os.environ.get("OMNIGLOT_ROOT"), reason="OMNIGLOT_ROOT is not set")
def test_real_omniglot():
    """The parts' own digests are verified when the cache is made; this one is of the result."""
    dataset = datasets.load("omniglot")
    told = datasets.facts(dataset)
    assert (told["characters"], told["drawers"], told["alphabets"]) == (1623, 20, 50)
    assert (told["alphabets_background"], told["alphabets_evaluation"]) == (30, 20)
    assert dataset.characters[0] == "Alphabet_of_the_Magi/character01"
    assert len(set(dataset.characters)) == 1623
    assert len(np.unique(dataset.images[:50])) > 80  # grey levels: Lanczos was not on mode "1"
    assert dataset.sha256 == "255fbb66efe334ae4ffdf873a5d430b6232d966a38612f804baa3297751298c5"
