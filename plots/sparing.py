"""What matplotlib would do again for each text, figure and file, done once.

Figures stay the same to the pixel. This replaces functions of matplotlib that are not public: where another
version lacks one, it is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from unittest.mock import patch

from fontTools import subset
from matplotlib.mathtext import MathTextParser

LAYOUT = ("GDEF", "GPOS", "GSUB", "MATH", "kern")
"""Tables of a font that say how its glyphs are set. A PDF says itself where each glyph is, and to make these
tables fit the few glyphs of a figure took half of the time of a PDF."""
KEPT = 4096
"""Formulas that are remembered."""


@contextmanager
def sparing() -> Iterator[None]:
    """In here."""
    with (
        patch.object(MathTextParser, "_parse_cached", _parse_cached),
        patch.object(subset.Options, "_drop_tables_default", [*_DROPPED, *LAYOUT]),
    ):
        yield


_DROPPED = subset.Options._drop_tables_default
_parse: Callable[..., Any] = MathTextParser._parse_cached.__wrapped__
_parsers: dict[str, MathTextParser] = {}


def _parse_cached(self: MathTextParser, *asked: Any) -> Any:
    """A formula as it was set before by any renderer of the same kind. matplotlib remembers 50, each renderer
    its own."""
    _parsers[self._output_type] = self
    return _known(self._output_type, *asked)


@lru_cache(maxsize=KEPT)
def _known(kind: str, *asked: Any) -> Any:
    return _parse(_parsers[kind], *asked)
