"""One query to PostgreSQL by its C library: psycopg takes longer to import than a shell waits."""

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ctypes import c_char_p, c_int, c_void_p
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_CONNECTED = 0
_HAS_ROWS = 2
_OF_THE_SYSTEM = "libpq.so.5"
_SIGNATURES: dict[str, tuple[type | None, list[type]]] = {
    "PQconnectdbParams": (c_void_p, [c_void_p, c_void_p, c_int]),
    "PQstatus": (c_int, [c_void_p]),
    "PQfinish": (None, [c_void_p]),
    "PQexec": (c_void_p, [c_void_p, c_char_p]),
    "PQexecParams": (
        c_void_p,
        [c_void_p, c_char_p, c_int, c_void_p, c_void_p, c_void_p, c_void_p, c_int],
    ),
    "PQresultStatus": (c_int, [c_void_p]),
    "PQntuples": (c_int, [c_void_p]),
    "PQnfields": (c_int, [c_void_p]),
    "PQgetvalue": (c_char_p, [c_void_p, c_int, c_int]),
    "PQclear": (None, [c_void_p]),
}


def rows(uri: str, query: str, parameter: str, patience_s: float) -> list[tuple[str, ...]]:
    """What a query with one parameter, $1, finds; nothing where there is any trouble.

    OSError where the library is not installed.
    """
    library = _library()
    with _connected(library, uri) as connection:
        if library.PQstatus(connection) != _CONNECTED:
            return []
        limit = f"SET statement_timeout = {round(patience_s * 1000)}"
        library.PQclear(library.PQexec(connection, limit.encode()))
        values = (c_char_p * 1)(parameter.encode())
        result = library.PQexecParams(connection, query.encode(), 1, None, values, None, None, 0)
        try:
            return _read(library, result)
        finally:
            library.PQclear(result)


def _read(library: ctypes.CDLL, result: int) -> list[tuple[str, ...]]:
    if library.PQresultStatus(result) != _HAS_ROWS:
        return []
    columns = range(library.PQnfields(result))
    return [
        tuple(library.PQgetvalue(result, row, column).decode() for column in columns)
        for row in range(library.PQntuples(result))
    ]


@contextmanager
def _connected(library: ctypes.CDLL, uri: str) -> Iterator[int]:
    """A connection, which may have failed; the URI is what its parameters do not say."""
    parameters = {"dbname": uri, "connect_timeout": "2", "client_encoding": "UTF8"}
    names, values = _strings([*parameters]), _strings([*parameters.values()])
    connection = library.PQconnectdbParams(names, values, 1)
    try:
        yield connection
    finally:
        library.PQfinish(connection)


def _strings(texts: Sequence[str]) -> "ctypes.Array[c_char_p]":
    """As C has a list of texts: with a null pointer at its end."""
    return (c_char_p * (len(texts) + 1))(*(text.encode() for text in texts), None)


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(_bundled() or _OF_THE_SYSTEM)
    for name, (answer, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = answer, arguments
    return library


def _bundled() -> str | None:
    """The library in psycopg's binary package, which is found without being imported."""
    spec = find_spec("psycopg_binary")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent.with_suffix(".libs")
    return next(map(str, folder.glob("libpq-*.so*")), None)
