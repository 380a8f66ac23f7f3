"""Files and folders that are there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.common.files import whole_folder, write_whole


def test_write_whole_is_whole_when_the_writer_breaks_off(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("before")

    def breaks(temporary: Path) -> None:
        temporary.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(path, breaks)
    assert path.read_text() == "before"
    write_whole(path, lambda temporary: temporary.write_text("after"))
    assert path.read_text() == "after"
    assert path.stat().st_mode & 0o777 == 0o644  # others may read results
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    place = tmp_path / "new" / "folder"
    for name in ("first", "second"):
        with whole_folder(place) as made:
            (made / name).touch()
        assert [path.name for path in place.iterdir()] == [name]
    assert place.stat().st_mode & 0o777 == 0o755  # a temporary folder is its maker's alone
    assert [path.name for path in place.parent.iterdir()] == ["folder"]


def test_a_folder_is_not_lost_when_the_new_one_cannot_be_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "folder"
    with whole_folder(place) as made:
        (made / "before").touch()
    rename = Path.rename

    def fails(source: Path, target: Path) -> Path:
        if target == place:
            raise OSError("no")
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(OSError, match="no"), whole_folder(place) as made:
        (made / "after").touch()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["before"]


def test_a_folder_stays_as_it_was_when_its_writer_fails(tmp_path: Path) -> None:
    place = tmp_path / "folder"
    with whole_folder(place) as made:
        (made / "before").touch()
    with pytest.raises(IsADirectoryError), whole_folder(place) as made:
        made.write_text("no file can be written in a folder's place")
    assert [path.name for path in place.iterdir()] == ["before"]
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
