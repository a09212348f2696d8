"""The demonstration, at a pace that a person can follow."""

import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from signal import SIGHUP, SIGTERM, signal
from typing import Any

import click

STOPPED = 130


@click.command()
@click.option(
    "--pause",
    type=click.FloatRange(0, 60),
    metavar="SECONDS",
    help="Least time from one step to the next; on a terminal 0.6 unless told, else 0.",
)
@click.option("--fast", is_flag=True, help="Do not rest at all.")
def demo(pause: float | None, fast: bool) -> None:
    """Show the whole life cycle on a simulated cloud, in under a minute."""
    from staffeln_cli.cli.listing_options import safe_output
    from staffeln_cli.cli.show import summary
    from staffeln_cli.demo import story as command
    from staffeln_cli.demo.screens import Teller

    safe_output()
    usual = 0.6 if sys.stdout.isatty() else 0.0
    rest = 0.0 if fast else usual if pause is None else pause
    try:
        with _terminated(), closing(command.tell(summary)) as story, Teller() as teller:
            shown_at = -rest
            for beat in story:
                if not getattr(beat, "moving", False):
                    time.sleep(max(0.0, shown_at + rest - time.monotonic()))
                    shown_at = time.monotonic()
                teller.tell(beat)
    except KeyboardInterrupt:
        click.echo("The demonstration was stopped; nothing of it is left behind.", err=True)
        sys.exit(STOPPED)


@contextmanager
def _terminated() -> Iterator[None]:
    """Let an end from outside be one that cleans up, as Ctrl-C is."""

    def stop(number: int, _: Any) -> None:
        sys.exit(128 + number)

    before = {number: signal(number, stop) for number in (SIGTERM, SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal(number, handler)


COMMANDS: tuple[click.Command, ...] = (demo,)
