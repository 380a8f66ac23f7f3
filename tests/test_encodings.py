"""Text is UTF-8 in every file that the package reads or writes, whatever the locale."""

from __future__ import annotations

import ast

import pytest

from tests.test_direction import PATHS


@pytest.mark.parametrize("module", sorted(PATHS))
def test_text_files_name_their_encoding(module: str) -> None:
    position = {"read_text": 0, "write_text": 1}
    for node in ast.walk(ast.parse(PATHS[module].read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name, given = node.func.attr, {keyword.arg for keyword in node.keywords}
            if name in position:
                assert len(node.args) > position[name] or "encoding" in given, f"line {node.lineno}"
