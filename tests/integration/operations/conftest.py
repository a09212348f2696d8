"""A run that believes an absence soon, and what restoring a server needs of a cloud."""

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.runtime import Run
from tests.integration.conftest import Begin


@pytest.fixture
def run(begin: Begin) -> Run:
    """A run that believes an absence that has lasted for a minute."""
    return begin(CLOUD_SETTLE_TIME="1min")


@pytest.fixture
def network(cloud: SimCloud, run: Run) -> str:
    """The network and the security group that a lost server had."""
    cloud.networks.add_security_group("web", project="shop")
    return cloud.networks.add_network("inner", project="shop")
