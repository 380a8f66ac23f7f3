"""Images from folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.common.errors import UserError
from harness.problems.datasets.folder import image_folder

RED, GREY = (200, 10, 30), (90, 90, 90)


@pytest.fixture
def birds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    for name, colour in (("wren/2.png", RED), ("wren/10.PNG", GREY), ("owl/1.jpg", GREY)):
        (path := tmp_path / "birds" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (12, 7), colour).save(path)
    for other in ("wren/._2.png", "wren/notes.txt", "about.txt"):
        (tmp_path / "birds" / other).write_text("no picture")
    (tmp_path / "birds" / ".cache").mkdir()
    return tmp_path / "birds"


def test_a_folder_a_class_files_in_sorted_order(birds: Path) -> None:
    for path in (birds, "birds"):  # in the data folder
        found = image_folder(path, size=5)
        assert list(found) == ["owl", "wren"]
        assert found["owl"].shape == (1, 5, 5, 3)
        assert found["wren"].dtype == np.uint8
        assert found["wren"][:, 2, 2].tolist() == [list(GREY), list(RED)]


def test_in_grey(birds: Path) -> None:
    assert image_folder(birds, size=5, mode="L")["wren"][0].tolist() == [[[90]] * 5] * 5


def test_what_is_wrong_is_said_with_the_file(birds: Path) -> None:
    (birds / "finch").mkdir()
    with pytest.raises(UserError, match=r"birds: class finch has no \.png or \.jpg files"):
        image_folder(birds)
    (birds / "finch" / "1.png").write_text("no picture")
    with pytest.raises(UserError, match=r"birds: finch/1\.png: cannot identify image file"):
        image_folder(birds)
    with pytest.raises(UserError, match="finches: there is no such folder"):
        image_folder(birds.parent / "finches")
    with pytest.raises(UserError, match="owl: it has no folders; it needs one for each class"):
        image_folder(birds / "owl")
