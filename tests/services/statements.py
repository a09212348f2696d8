"""SQL statements compiled once for all commands that run in this process.

Each command has an engine of its own, which would compile the same statements again: a third of
the processor time of the acceptance tests.
"""

from typing import Any

from sqlalchemy import Connection, Dialect, Engine, event

_dialects: dict[str, Dialect] = {}
_compiled: dict[Any, Any] = {}


def compile_once() -> None:
    """Let all engines of a kind of database share one dialect and what was compiled for it."""
    event.listen(Engine, "engine_connect", _share)


def _share(connection: Connection) -> None:
    own = connection.dialect
    connection.dialect = _dialects.setdefault(f"{own.name}+{own.driver}", own)
    connection.execution_options(compiled_cache=_compiled)
