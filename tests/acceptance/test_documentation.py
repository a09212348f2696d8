"""What the documentation says of commands, exit codes and settings is so.

`python -m tests.acceptance.test_documentation` prints the table of settings for the README.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import get_args, get_type_hints

import click
import pytest
from msgspec import Meta

from staffeln_cli import errors
from staffeln_cli.cli import staffeln
from staffeln_cli.config import Settings
from staffeln_cli.config.example import as_toml, default_of

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CRON = [ROOT / "cron/staffeln.crontab", *sorted((ROOT / "cron/systemd").glob("*.service"))]
INSTANCES = ("run", "collect", "backup", "check", "retain", "report")

_BLOCK = re.compile(r"^```(?:console|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(
    r"^(?:\w*[$#] )?(?:\w+=\S* )*(?:sudo -u \w+ )?(?:/\S*/|\.venv/bin/)?staffeln(?= |$)(.*)$"
)
_TIMED = re.compile(r"^#?(?:\S+ +){5}staffeln +/opt/staffeln/bin/staffeln (.*)$")
_STARTED = re.compile(r"^ExecStart=(?:/opt/staffeln/bin/|/usr/bin/env )staffeln (.*)$")


def in_pages() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for block in _BLOCK.findall(page.read_text()):
            for line in block.replace("\\\n", "").splitlines():
                if found := _COMMAND.match(line):
                    yield page.name, found[1].strip()


def in_cron() -> Iterator[tuple[str, str]]:
    for file in CRON:
        for line in file.read_text().splitlines():
            if found := _TIMED.match(line) or _STARTED.match(line):
                instances = INSTANCES if "%i" in found[1] else ("",)
                yield from ((file.name, found[1].replace("%i", one)) for one in instances)


def arguments(text: str) -> list[str]:
    """The words of a command line up to whatever the shell does with its answer."""
    words = shlex.split(text, comments=True)
    return words[: next((n for n, one in enumerate(words) if one in "|>>&&;"), len(words))]


def parse(
    command: click.Command, words: list[str], name: str, parent: click.Context | None = None
) -> None:
    """Let click read a command line as it would, without doing anything."""
    try:
        context = command.make_context(name, words, parent=parent)
    except click.exceptions.Exit as end:  # --version and --help end so
        assert end.exit_code == 0
        return
    if isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        if rest or not command.invoke_without_command:
            found, sub, rest = command.resolve_command(context, rest)
            assert sub is not None
            parse(sub, rest, str(found), context)


@pytest.mark.parametrize(("where", "text"), sorted(set(in_pages()) | set(in_cron())))
def test_every_command_line_that_is_written_down_is_accepted(where: str, text: str) -> None:
    if text == "serve-policy" and text not in staffeln.commands:
        pytest.skip("the unit is there before the command is")
    try:
        parse(staffeln, arguments(text), "staffeln")
    except click.UsageError as error:
        pytest.fail(f"{where}: staffeln {text}: {error.format_message()}")


def test_the_examples_for_cron_and_systemd_cover_the_cycle() -> None:
    timed = {text.split()[0] for where, text in in_cron() if where == "staffeln.crontab"}
    assert timed >= set(INSTANCES)
    for one in INSTANCES:
        timer = (ROOT / f"cron/systemd/staffeln-{one}.timer").read_text()
        assert f"Unit=staffeln@{one}.service\n" in timer


def commands(group: click.Group, path: str = "staffeln") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


@pytest.mark.parametrize("path", [path for path, _ in commands(staffeln)])
def test_every_command_has_help_and_a_place_in_the_readme(path: str) -> None:
    text = (dict(commands(staffeln))[path].help or "").strip()
    assert text.partition("\n\n")[0].endswith(".")
    assert f"`{path}" in README or f"$ {path}" in README


def test_the_readme_has_every_exit_code_and_no_other() -> None:
    kinds = [one for one in vars(errors).values() if isinstance(one, type)]
    codes = {one.exit_code for one in kinds if issubclass(one, errors.StaffelnError)}
    table = README.partition("## Exit codes")[2].partition("\n## ")[0]
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.M)} == codes | {0, 1, 2, 3}
    assert "| 128 + *n* |" in table


def settings_table() -> str:
    """Every key, its default, what it means."""
    lines = ["| key | default | meaning |", "|---|---|---|"]
    for section, kind in get_type_hints(Settings).items():
        hints = get_type_hints(kind, include_extras=True)
        for part in fields(kind):
            (meta,) = (one for one in get_args(hints[part.name]) if isinstance(one, Meta))
            default = default_of(part)
            shown = "" if default is None else f"`{as_toml(default)}`"
            if (section, part.name) == ("database", "url"):
                shown = '`"sqlite:////var/lib/staffeln/staffeln.db"`'
            meaning = (meta.description or "").replace("|", "\\|").replace("<", "&lt;")
            lines.append(f"| `{section}.{part.name}` | {shown} | {meaning} |")
    return "\n".join(lines)


def test_the_readme_has_every_key_of_the_configuration() -> None:
    missing = [line for line in settings_table().splitlines() if line not in README.splitlines()]
    assert not missing, "python -m tests.acceptance.test_documentation prints the table anew"
    assert README.count("\n| `") >= len(settings_table().splitlines()) - 2


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_the_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


if __name__ == "__main__":
    print(settings_table())  # noqa: T201
