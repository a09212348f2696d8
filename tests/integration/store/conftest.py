"""A store on each database, with a clock that stands still."""

from collections.abc import Iterator

import pytest

from staffeln_cli.store import Store
from tests.build import NOW


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    store = Store(database_url, clock=lambda: NOW)
    yield store
    store.close()
