"""docs/architecture.md shows the layers and packages that there are."""

import re
import tomllib

from tests.documents.pages import ROOT, read

PAGE = read("docs/architecture.md")


def test_the_picture_of_the_layers_is_the_contract() -> None:
    contracts = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    section = PAGE.partition("\n## Layers\n")[2].partition("\n## ")[0]
    drawn = dict(re.findall(r'(L\d+)\["([^"]+)"\]', section))
    arrows = re.findall(r"(L\d+)(?:\[[^]]+\])? --> (L\d+)", section)
    assert list(drawn.values()) == layers
    assert arrows == list(zip(list(drawn), list(drawn)[1:], strict=False))


def test_the_table_of_packages_has_each_and_no_other() -> None:
    rows = re.findall(r"^\| (`.+?`) \|", PAGE, re.MULTILINE)
    described = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    here = (ROOT / "staffeln_cli").iterdir()
    packages = {
        path.stem for path in here if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert described == packages - {"__init__"}


def test_the_list_of_decisions_has_each_and_each_says_what_why_and_what_was_given_up() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", read("docs/decisions/README.md"))
    assert listed == sorted(path.name for path in folder.glob("0*.md"))
    for name in listed:
        headings = re.findall(r"^## (.+)$", read(f"docs/decisions/{name}"), re.MULTILINE)
        assert headings == ["What", "Why", "What we gave up"], name
