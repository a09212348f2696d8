"""There is one gate, `make check`, and the documents name targets that the Makefile has."""

import re
from pathlib import Path

import pytest
import yaml

from tests.documents.pages import PAGES, name_of, read

TARGETS = set(re.findall(r"^(\w+):", read("Makefile"), re.MULTILINE))


def test_pre_commit_and_continuous_integration_call_the_gate_and_nothing_else() -> None:
    (repository,) = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    assert [hook["entry"] for hook in repository["hooks"]] == ["make check"]
    calls = re.findall(r"^make .*$", read(".ci/run"), re.MULTILINE)
    assert calls == ["make check", "make test"]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    lines = re.findall(r"(?:[`&$]|^\$) ?make ([a-z]+(?: [a-z]+)*)", text, re.MULTILINE)
    assert {target for line in lines for target in line.split()} - TARGETS == set()
