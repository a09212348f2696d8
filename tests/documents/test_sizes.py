"""No module and no function is longer than somebody can take in."""

import ast
from pathlib import Path

import pytest

from tests.documents.pages import ROOT

MODULE = 300
"""Lines; half of that is usual."""
FUNCTION = 40
"""Lines, with its docstring, without its decorators; fifteen are usual."""
MODULES = sorted((ROOT / "staffeln_cli").rglob("*.py"))


def name(path: Path) -> str:
    """The path below the package."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_modules_and_functions_are_short(module: Path) -> None:
    source = module.read_text(encoding="utf-8")
    functions = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    lengths = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}
    assert {one: lines for one, lines in lengths.items() if lines > FUNCTION} == {}
    assert source.count("\n") <= MODULE
