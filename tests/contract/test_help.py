"""The `--help` of every command is the recorded one (see `recording.py`)."""

from click.testing import CliRunner

from staffeln_cli.cli import staffeln
from tests.contract.commands import all_commands
from tests.contract.recording import compare

WIDTH = 100


def test_the_help_of_every_command_is_as_recorded() -> None:
    pages = [_help(path) for path, _ in all_commands()]

    compare("help.txt", "\n".join(pages))


def _help(path: tuple[str, ...]) -> str:
    words = (*path, "--help")
    result = CliRunner().invoke(
        staffeln, words, prog_name="staffeln", terminal_width=WIDTH, color=False
    )
    assert result.exit_code == 0, result.output
    return f"$ staffeln {' '.join(words)}\n{result.output}"
