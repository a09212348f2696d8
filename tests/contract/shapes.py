"""The keys and types of JSON documents, as lines of text that can be compared."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

NAMES = {str: "str", int: "int", float: "float", bool: "bool", type(None): "null"}


def shape(documents: Iterable[Any]) -> list[str]:
    """A line for each place in the documents, with the types that were found there.

    `.failures[].id: str` is the key `id` of every element of the list under `failures`. A key that
    only some of the objects in its place have is marked as optional.
    """
    types: dict[str, Counter[str]] = defaultdict(Counter)
    parents = {}
    for document in documents:
        for parent, place, name in _places("", "", document):
            types[place][name] += 1
            parents[place] = parent
    return [
        f"{place or '.'}: {' | '.join(sorted(found))}{_optional(types, parents[place], place)}"
        for place, found in sorted(types.items())
    ]


def _places(parent: str, place: str, value: Any) -> Iterator[tuple[str, str, str]]:
    """Each place with that of the object or list around it, and the type of what is there."""
    if isinstance(value, dict):
        yield parent, place, "object"
        for key, inner in value.items():
            yield from _places(place, f"{place}.{key}", inner)
    elif isinstance(value, list):
        yield parent, place, "list"
        for inner in value:
            yield from _places(place, f"{place}[]", inner)
    else:
        yield parent, place, NAMES[type(value)]


def _optional(types: dict[str, Counter[str]], parent: str, place: str) -> str:
    is_key = place and not place.endswith("[]")
    return " (optional)" if is_key and types[place].total() < types[parent]["object"] else ""
