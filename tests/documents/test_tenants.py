"""The guide for tenants names keys and sections as the program has them."""

import re

import pytest

from docs.pictures import FOLDER, PICTURES, html
from staffeln_cli.config import Settings
from tests.documents.pages import read

GUIDE = read("docs/tenants.md")


def test_the_sections_that_are_explained_are_those_of_the_report() -> None:
    named = re.findall(r"^\| \*(.+?)\* \|", GUIDE, re.MULTILINE)
    titles = re.findall(r'"([A-Z][^"]+)"', read("staffeln_cli/reports/pages/project.py"))
    assert len(named) > 9
    assert set(named) - set(titles) == set()


def test_the_keys_are_the_default_ones() -> None:
    settings = Settings()
    keys = {
        settings.select.metadata_key,
        settings.select.skip_volume_key,
        settings.retention.metadata_key,
    }
    assert set(re.findall(r"--property ([\w-]+)", GUIDE)) == keys


@pytest.mark.parametrize("name", PICTURES)
def test_the_pictures_show_pages_of_the_present_templates(name: str) -> None:
    """`python -m docs.pictures` takes them anew."""
    page = html(PICTURES[name])
    assert "web-shop" in page
    assert (FOLDER / name).stat().st_size > 10_000
    assert f"({name})" in GUIDE
