"""A run, as a pass gives it to operations, in a time that passes only where somebody waits."""

from collections.abc import Callable, Iterator

import pytest

from staffeln_cli.config import load
from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.runtime import Run, Runtime, Stop
from tests.conftest import Staffeln

Begin = Callable[..., Run]


class WaitingInTheCloud(Stop):
    """Lets the cloud's time pass instead of the machine's."""

    def __init__(self, cloud: SimCloud) -> None:
        super().__init__()
        self._cloud = cloud

    def sleep(self, seconds: float) -> None:
        """Be that much later at once."""
        self._cloud.advance(seconds=max(seconds, 0.001))


@pytest.fixture
def begin(cloud: SimCloud, staffeln: Staffeln) -> Iterator[Begin]:
    """Begin a run with settings of one's own: `begin(VERIFY_BOOT="tiny")`."""
    cloud.freeze()
    cloud.people.add_project("shop")
    runtimes: list[Runtime] = []

    def begin(command: str = "test", **settings: str) -> Run:
        staffeln.set(CLOUD_RETRY_TIMEOUT="0s", **settings)
        settings_read = load(None, staffeln.environ).settings
        runtime = Runtime(settings_read, clock=cloud.now, stop=WaitingInTheCloud(cloud))
        runtimes.append(runtime)
        return Run(runtime, command)

    yield begin
    for runtime in runtimes:
        runtime.close()


@pytest.fixture
def run(begin: Begin) -> Run:
    """A run with the usual settings."""
    return begin()
