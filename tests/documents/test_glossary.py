"""Public names consist of words in docs/glossary.md, and of no other words."""

import re

from tests.documents.pages import read
from tests.documents.public_names import base_forms, words_in_use

PRIVATE = frozenset(
    [
        "abroad",
        "addressee",
        "bare",
        "cast",
        "desk",
        "double",
        "doubt",
        "entry",
        "fate",
        "grounds",
        "ground",
        "heard",
        "letter",
        "line",
        "loss",
        "outlook",
        "owing",
        "patience",
        "patient",
        "place",
        "promise",
        "sight",
        "standing",
        "sure",
        "teller",
        "told",
        "untold",
        "wish",
        "zulu",
    ]
)
"""Words that a new reader would not understand, or would understand as something else."""
UNSPECIFIC = frozenset(
    [
        "common",
        "data",
        "do",
        "facts",
        "handler",
        "helper",
        "info",
        "manager",
        "one",
        "util",
        "utils",
    ]
)
"""Words that say nothing about what they name."""
EXCEPTIONS = frozenset(
    [
        "cloud/transport.init_poolmanager",  # overrides a method of requests
        "cloud/transport.proxy_manager_for",  # the same
        "demo/simcloud/server.handle_one_request",  # overrides a method of the standard library
        "model/text.zulu",  # the time zone Z in ISO 8601
    ]
)
"""Names in which a private or unspecific word has its usual meaning."""


def glossary() -> set[str]:
    """The words in the first column of each table, and those in code font in the lists."""
    page = read("docs/glossary.md").partition("\n## ")[2]
    rows = re.findall(r"^\| ([^|]+) \|", page, re.MULTILINE)
    listed = re.findall(
        r"`(\w+)`", "\n".join(re.findall(r"^(?:- | {2})(.*)$", page, re.MULTILINE))
    )
    return {word for row in rows for word in re.findall(r"[a-z0-9]+", row)} | set(listed)


def phrases() -> list[list[str]]:
    """The terms of several words, in code font, of which each word alone is not explained."""
    return [term.split() for term in re.findall(r"`(\w+(?: \w+)+)`", read("docs/glossary.md"))]


def unknown_words() -> dict[str, set[str]]:
    """Each word that neither the glossary nor its base form in the glossary explains."""
    known = glossary()
    return {
        word: places - EXCEPTIONS
        for word, places in words_in_use(phrases()).items()
        if len(word) > 1 and not base_forms(word) & known and places - EXCEPTIONS
    }


def test_every_word_of_a_public_name_is_in_the_glossary() -> None:
    unknown = [f"{word}: {', '.join(sorted(where))}" for word, where in unknown_words().items()]
    assert unknown == [], "use a word of docs/glossary.md, or explain the new one there"


def test_the_glossary_has_no_private_words() -> None:
    assert glossary() & (PRIVATE | UNSPECIFIC) == set()


def test_a_phrase_does_not_explain_its_words_elsewhere() -> None:
    assert ["one", "line"] in phrases()
    assert {"model/text.one_line"} <= words_in_use()["line"]
    assert "model/text.one_line" not in words_in_use(phrases()).get("line", ())


def test_a_word_that_is_explained_in_one_form_is_known_in_the_others() -> None:
    assert "plan" in base_forms("planned") & base_forms("planning")
    assert "retry" in base_forms("retries")
    assert "delete" in base_forms("deleting") & base_forms("deleted")
    assert "doubt" in base_forms("doubted")
