"""Fill an empty database of ours from a catalog."""

from collections.abc import Iterator
from typing import Any

from staffeln_cli.commands.catalog.file import Reader
from staffeln_cli.errors import ConfigError
from staffeln_cli.runtime import Runtime
from staffeln_cli.tables import SCHEMA_REVISION


def load(runtime: Runtime, reader: Reader) -> None:
    """All or nothing: nothing is kept where the file turns out to be damaged.

    CatalogRejected where it is; ConfigError where the database is not empty, or the file has
    another schema than this version.
    """
    runtime.store.catalog.load(_rows(runtime, reader))


def _rows(runtime: Runtime, reader: Reader) -> Iterator[tuple[str, dict[str, Any]]]:
    for line in reader.rows():
        header = reader.header
        if header is not None and header.schema != SCHEMA_REVISION:
            raise ConfigError(
                [
                    f"{reader.path}: is of schema {header.schema or 'none'}, this version has"
                    f" {SCHEMA_REVISION}; import it with the version that wrote it, then run:"
                    " staffeln db upgrade"
                ]
            )
        runtime.stop.check()
        yield line.table, line.row
