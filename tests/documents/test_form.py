"""Documents are wrapped, short where they must be, linked, and in plain English."""

import re
from pathlib import Path

import pytest

from tests.documents.pages import PAGES, ROOT, name_of, prose

WIDTH = 100
README_BYTES = 10_000
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
_PRONOUN = re.compile(r"\b(?:he|him|his)\b", re.IGNORECASE)
_METAPHOR = re.compile(
    r"\b(?:stands? on|stood on|what stands|mend|is at it|gone through|patient(?:ly)?)\b",
    re.IGNORECASE,
)

every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = _HEADING.findall(page.read_text(encoding="utf-8"))
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


def test_the_readme_is_short() -> None:
    assert (ROOT / "README.md").stat().st_size <= README_BYTES


@every_page
def test_lines_outside_tables_and_code_are_wrapped(page: Path) -> None:
    too_long = [number for number, line in prose(page) if len(line) > WIDTH]
    assert too_long == []


@every_page
def test_links_lead_to_pages_and_headings_that_exist(page: Path) -> None:
    for target, anchor in _LINK.findall(page.read_text(encoding="utf-8")):
        linked = page.parent / target if target else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), f"{target}#{anchor}"


@every_page
def test_people_are_they_and_sentences_are_plain(page: Path) -> None:
    text = "\n".join(line for _, line in prose(page))
    assert _PRONOUN.findall(text) == []
    assert _METAPHOR.findall(text) == []
