"""The generated pages are those that `make docs` would write."""

from docs.generate import FOLDER, pages

ADVICE = "run `make docs` and commit what it writes"


def test_the_generated_pages_are_up_to_date() -> None:
    outdated = [
        str(path.relative_to(FOLDER))
        for path, text in pages().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    assert outdated == [], ADVICE


def test_the_reference_has_no_page_of_a_command_that_does_not_exist() -> None:
    left_over = set((FOLDER / "reference").glob("*.md")) - set(pages())
    assert left_over == set(), ADVICE


def test_the_reference_describes_each_command_and_the_configuration_each_key() -> None:
    texts = {path.name: text for path, text in pages().items()}
    assert "## staffeln db upgrade" in texts["db.md"]
    assert "| `--volume " in texts["restore.md"]
    assert "| `retention.keep_last` | `1` |" in texts["configuration.md"]
