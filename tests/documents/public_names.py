"""The public names of Staffeln, and the words that they consist of."""

import ast
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

import click

from staffeln_cli.cli import staffeln
from staffeln_cli.config.load import keys
from tests.documents.pages import ROOT, read

PACKAGE = ROOT / "staffeln_cli"
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_ENDINGS = (
    ("ies", "y"),
    ("es", ""),
    ("s", ""),
    ("ied", "y"),
    ("ed", "e"),
    ("ed", ""),
    ("ing", "e"),
    ("ing", ""),
)


def words_in_use(phrases: Collection[Sequence[str]] = ()) -> dict[str, set[str]]:
    """Each word of a public name with the places where it occurs, outside the given phrases."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, place in _public_names():
        words = [word.lower() for word in _WORD.findall(name)]
        for phrase in phrases:
            words = _without(words, phrase)
        for word in words:
            found[word].add(place)
    return found


def _without(words: list[str], phrase: Sequence[str]) -> list[str]:
    """The words without those that are the phrase, each in whatever form."""
    width = len(phrase)
    for at in range(len(words) - width + 1):
        pairs = zip(words[at : at + width], phrase, strict=True)
        if all(part in base_forms(word) for word, part in pairs):
            return words[:at] + _without(words[at + width :], phrase)
    return words


def base_forms(word: str) -> set[str]:
    """The word, and what it may be the plural, the past or the -ing form of."""
    forms = {word}
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) > len(ending) + 1:
            stem = word.removesuffix(ending)
            forms.add(stem + instead)
            if len(stem) > 2 and stem[-1] == stem[-2]:  # planned, planning
                forms.add(stem[:-1])
    return forms


def _public_names() -> Iterator[tuple[str, str]]:
    yield from _names_in_the_package()
    yield from _names_on_the_command_line(staffeln, "staffeln")
    for key in keys():
        yield key, f"configuration key {key}"
    for key in re.findall(
        r"^\S*?\.(\w+)(?:\[\])*: ", read("tests/contract/recorded/json.txt"), re.M
    ):
        yield key, f"JSON key {key}"


def _names_in_the_package() -> Iterator[tuple[str, str]]:
    for file in sorted(PACKAGE.rglob("*.py")):
        module = file.relative_to(PACKAGE).with_suffix("")
        place = str(module)
        yield module.name.strip("_"), place
        for node in _public_definitions(ast.parse(file.read_text(encoding="utf-8"))):
            yield node.name, f"{place}.{node.name}"


def _public_definitions(
    tree: ast.Module | ast.ClassDef,
) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Classes, functions and methods without an underscore in front."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public_definitions(node)


def _names_on_the_command_line(command: click.Command, path: str) -> Iterator[tuple[str, str]]:
    for parameter in command.params:
        for option in parameter.opts + parameter.secondary_opts:
            yield option, f"{path} {option}"
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield name, f"{path} {name}"
            yield from _names_on_the_command_line(child, f"{path} {name}")
