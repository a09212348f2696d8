"""Commands, keys and exit codes in the documents are those of the program."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from staffeln_cli import errors
from staffeln_cli.cli import staffeln
from staffeln_cli.cli.examples import CODES, EXAMPLES
from staffeln_cli.config.load import keys, load
from tests.documents.pages import PAGES, ROOT, name_of, read

README = read("README.md")
CRON = [ROOT / "cron/staffeln.crontab", *sorted((ROOT / "cron/systemd").glob("*.service"))]
INSTANCES = ("run", "collect", "backup", "check", "retain", "report", "verify")

_BLOCK = re.compile(r"^```(?:console|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(
    r"^(?:\w*[$#] )?(?:\w+=\S* )*(?:sudo -u \w+ )?(?:/\S*/|\.venv/bin/)?staffeln(?= |$)(.*)$"
)
_TOML = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)
_TIMED = re.compile(r"^#?(?:\S+ +){5}staffeln +/opt/staffeln/bin/staffeln (.*)$")
_STARTED = re.compile(r"^ExecStart=(?:/opt/staffeln/bin/|/usr/bin/env )staffeln (.*)$")


def in_pages() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", "").splitlines():
                if found := _COMMAND.match(line):
                    yield page.name, found[1].strip()


def in_cron() -> Iterator[tuple[str, str]]:
    for file in CRON:
        for line in file.read_text().splitlines():
            if found := _TIMED.match(line) or _STARTED.match(line):
                instances = INSTANCES if "%i" in found[1] else ("",)
                yield from ((file.name, found[1].replace("%i", name)) for name in instances)


def arguments(text: str) -> list[str]:
    """The words of a command line up to whatever the shell does with its answer."""
    words = shlex.split(text, comments=True)
    return words[: next((n for n, word in enumerate(words) if word in "|>>&&;"), len(words))]


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
    try:
        parse(staffeln, arguments(text), "staffeln")
    except click.UsageError as error:
        pytest.fail(f"{where}: staffeln {text}: {error.format_message()}")


def test_the_examples_for_cron_and_systemd_cover_the_cycle() -> None:
    timed = {text.split()[0] for where, text in in_cron() if where == "staffeln.crontab"}
    assert timed >= set(INSTANCES)
    for name in INSTANCES:
        timer = read(f"cron/systemd/staffeln-{name}.timer")
        assert f"Unit=staffeln@{name}.service\n" in timer


def commands(group: click.Group, path: str = "staffeln") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


@pytest.mark.parametrize("path", [path for path, _ in commands(staffeln)])
def test_every_command_has_help_whose_first_paragraph_is_a_sentence(path: str) -> None:
    text = (dict(commands(staffeln))[path].help or "").strip()
    assert text.partition("\n\n")[0].endswith(".")


@pytest.mark.parametrize("path", [path for path, _ in commands(staffeln)])
def test_every_option_says_what_it_does(path: str) -> None:
    options = [one for one in dict(commands(staffeln))[path].params if type(one) is click.Option]
    assert [one.name for one in options if not one.help] == []


@pytest.mark.parametrize("width", [50, 80, 100])
def test_lists_of_commands_show_whole_sentences(width: int) -> None:
    for path, group in [("staffeln", staffeln), *commands(staffeln)]:
        if isinstance(group, click.Group):
            words = [*path.split()[1:], "--help"]
            listed = CliRunner().invoke(staffeln, words, terminal_width=width).output
            for below in group.commands.values():
                sentence = (below.help or "").partition("\n\n")[0].split()
                assert " ".join(sentence) in " ".join(listed.split())


@pytest.mark.parametrize("path", [path for path, _ in commands(staffeln)])
def test_every_command_has_examples_that_it_accepts_and_its_exit_codes(path: str) -> None:
    command = dict(commands(staffeln))[path]
    if isinstance(command, click.Group) and not command.invoke_without_command:
        return
    assert path in EXAMPLES, f"give {path} examples and exit codes in cli/examples.py"
    for line in EXAMPLES[path].lines:
        words = arguments(line.replace("< ", "&& ").replace("> ", "&& "))
        assert line.startswith(path)
        parse(staffeln, words[1:], "staffeln")
    for code in EXAMPLES[path].codes:
        assert f"\n  {code} " in (command.epilog or "")


def test_the_exit_codes_of_the_help_are_those_of_the_readme() -> None:
    table = README.partition("## Exit codes")[2].partition("\n## ")[0]
    assert {str(code) for code in CODES} <= set(re.findall(r"^\| (\d+) \|", table, re.M))
    assert EXAMPLES.keys() <= {path for path, _ in commands(staffeln)}


@pytest.mark.parametrize("name", list(staffeln.commands))
def test_the_readme_names_every_command(name: str) -> None:
    assert re.search(rf"`staffeln {name}[ `]", README)


def test_the_readme_has_every_exit_code_and_no_other() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, errors.StaffelnError)}
    table = README.partition("## Exit codes")[2].partition("\n## ")[0]
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.M)} == codes | {0, 1, 2, 3}
    assert "| 128 + *n* |" in table


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_key_that_a_page_names_exists(page: Path) -> None:
    sections = {key.partition(".")[0] for key in keys()}
    named = re.findall(r"`(([a-z]+)\.[a-z_]+)(?: = [^`]*)?`", page.read_text(encoding="utf-8"))
    unknown = {key for key, section in named if section in sections} - set(keys())
    assert unknown == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_configuration_that_a_page_shows_is_accepted(page: Path, tmp_path: Path) -> None:
    for number, block in enumerate(_TOML.findall(page.read_text(encoding="utf-8"))):
        file = tmp_path / f"{number}.toml"
        file.write_text(block, encoding="utf-8")
        load(file, environ={})
