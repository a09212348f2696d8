"""A small OpenStack over real HTTP: what `staffeln demo` and the tests talk to."""

from staffeln_cli.demo.simcloud.calls import Request
from staffeln_cli.demo.simcloud.cloud import SimCloud, serving

__all__ = ["Request", "SimCloud", "serving"]
