"""What operations that restore servers need of a cloud."""

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.runtime import Run


@pytest.fixture
def network(cloud: SimCloud, run: Run) -> str:
    """The network and the security group that a lost server had."""
    cloud.networks.add_security_group("web", project="shop")
    return cloud.networks.add_network("inner", project="shop")
