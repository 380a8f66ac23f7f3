"""The table in LaTeX: read back, and compiled where there is a LaTeX."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.records import export
from harness.records.export.latex import escaped
from tests.records.export.papers import ODD, paper


def rows(text: str) -> list[list[str]]:
    r"""The cells between \midrule and \bottomrule."""
    body = text.split("\\midrule\n")[1].split("\\bottomrule")[0]
    return [re.split(r" (?<!\\)& ", line.removesuffix(" \\\\")) for line in body.splitlines()]


def test_it_is_read_back(tmp_path: Path) -> None:
    assert export.write("latex", paper(), tmp_path) == []
    text = (tmp_path / "made-up.tex").read_text()
    assert text.startswith("% In the preamble: \\usepackage{booktabs}\n\\begin{table}[tbp]\n")
    assert f"\\caption{{A caption: {escaped(ODD)}.}}\n\\label{{tab:made-up}}\n" in text
    assert "\\begin{tabular}{lrrrr}\n\\toprule\n" in text
    assert r"method & $\alpha_0$ & rule\_of & reached & \shortstack[r]{first\\passage} \\" in text
    assert rows(text) == [
        [escaped(ODD), "$10^{-3}$", "", "0/9", "--"],
        ["MAML", "0.002", r"raw\_x", "1/9", "1"],
    ]


def test_a_long_table_goes_on_over_pages(tmp_path: Path) -> None:
    export.write("latex", paper(41), tmp_path)
    text = (tmp_path / "made-up.tex").read_text()
    assert "\\usepackage{booktabs,longtable}" in text
    assert text.count("A caption: ") == 1
    assert r"\multicolumn{5}{l}{\tablename\ \thetable{}, continued} \\" in text


def test_nothing_is_a_command() -> None:
    expected = r"50\% of \$x\_1\$ \& \{a\} \#3 \textasciitilde{} \textasciicircum{} \textbackslash{}b * `c` "
    assert escaped(ODD) == expected + r"\textless{}i\textgreater{}\textbar{}"
    assert escaped("a\nb – 2 × 3 ≤ 6") == r"a b -- 2 $\times$ 3 $\le$ 6"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex")
@pytest.mark.parametrize("count", [2, 41])
def test_it_compiles(tmp_path: Path, count: int) -> None:
    export.write("latex", paper(count), tmp_path / "out")
    page = r"\documentclass{article}\usepackage{booktabs,longtable}\begin{document}\input{out/made-up}"
    (tmp_path / "page.tex").write_text(page + r"\end{document}")
    words = ["pdflatex", "-draftmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
