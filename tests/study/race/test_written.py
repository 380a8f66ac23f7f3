"""A race.parquet says what the race said."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.cli import race_files
from harness.common.errors import UserError
from harness.study.race import headline, sentences, summary
from harness.study.race.contenders import DEFAULT
from harness.study.race.curves import curves
from harness.study.race.written import Raced, about, read, read_curves
from tests.study.race.test_headline import race


def test_a_file_says_what_the_race_said(tmp_path: Path) -> None:
    one = race()
    chosen = {DEFAULT: {"alpha_hyperlr": 0.1}}
    said = Raced(
        grid="a",
        target=0.9,
        seeds=one.seeds,
        budget=one.axis.budget,
        unit="nats",
        numbers=headline.numbers(one),
        chosen=chosen,
    )
    path = race_files.write(said.numbers, curves(one), about(said), tmp_path)[0]
    found = read(path)
    assert about(found) == about(said)
    assert sentences.in_short(found) == sentences.in_short(said)
    assert "is worth 1.90 runs of MAML" in sentences.headline(found)
    tables = [summary.tables(one) for one in (found, said)]
    for first, second in zip(*tables, strict=True):
        pd.testing.assert_frame_equal(first.frame, second.frame)


def test_what_is_no_race(tmp_path: Path) -> None:
    path = tmp_path / "race.parquet"
    with pytest.raises(UserError, match=r"race\.parquet: no race there; make race makes it"):
        read(path)
    path.write_text("no")
    with pytest.raises(UserError, match=r"race\.parquet: not the numbers of a race"):
        read(path)
    pq.write_table(pa.table({"measure": ["x"]}), path)
    with pytest.raises(UserError, match=r"race\.parquet: not the numbers of a race"):
        read(path)
    with pytest.raises(UserError, match=r"race\.parquet: not the curves of a race"):
        read_curves(path)
