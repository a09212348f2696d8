"""Serve a generated cloud until a signal: `python -m staffeln_cli.demo.simcloud --servers 9`."""

from __future__ import annotations

import argparse
import gc
import signal
import sys
from datetime import timedelta

from staffeln_cli.demo.simcloud.cloud import SimCloud, serving
from staffeln_cli.demo.simcloud.generating import Size, fill


def main() -> None:
    """Serve, and say how to log in: a clouds.yaml on stdout, complete before anyone is served."""
    options = _options().parse_args()
    size = Size(
        options.servers, options.volumes_per_server, options.projects,
        options.backups_per_volume, options.incrementals, options.metadata_key,
    )  # fmt: skip
    ending = {signal.SIGTERM, signal.SIGINT}
    # Blocked before any thread starts, so that no thread but this one ever gets them.
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    with serving(port=options.port) as cloud:
        fill(cloud, size)
        _settings(cloud, options)
        gc.freeze()  # collecting garbage among so many rows would be what is measured
        sys.stdout.write(cloud.clouds_yaml())
        sys.stdout.flush()
        signal.sigwait(ending)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m staffeln_cli.demo.simcloud", description=__doc__
    )
    parser.add_argument("--servers", type=int, default=100)
    parser.add_argument("--volumes-per-server", type=int, default=3)
    parser.add_argument("--projects", type=int, default=10)
    parser.add_argument("--backups-per-volume", type=int, default=0)
    parser.add_argument("--incrementals", type=int, default=1_000_000, help="after each full")
    parser.add_argument("--metadata-key", default="__staffeln_backup")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds for each request")
    parser.add_argument("--finish-after", type=float, help="seconds that a backup takes")
    parser.add_argument("--port", type=int, default=0)
    return parser


def _settings(cloud: SimCloud, options: argparse.Namespace) -> None:
    cloud.settings.latency = options.latency
    if options.finish_after is not None:
        cloud.settings.finish_after = timedelta(seconds=options.finish_after)


if __name__ == "__main__":
    main()
