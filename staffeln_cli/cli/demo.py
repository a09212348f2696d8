"""The command `demo`: shows the story at a readable pace."""

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
    help="Least time between two steps; default 0.6 on a terminal, else 0.",
)
@click.option("--fast", is_flag=True, help="Do not pause at all.")
def demo(pause: float | None, fast: bool) -> None:
    """Show the whole life cycle on a simulated cloud, in under a minute."""
    from staffeln_cli.cli.listing_options import safe_output
    from staffeln_cli.cli.show import summary
    from staffeln_cli.demo import story as command
    from staffeln_cli.demo.screens import Presenter

    safe_output()
    usual = 0.6 if sys.stdout.isatty() else 0.0
    rest = 0.0 if fast else usual if pause is None else pause
    try:
        with _terminated(), closing(command.tell(summary)) as story, Presenter() as presenter:
            shown_at = -rest
            for beat in story:
                if not getattr(beat, "moving", False):
                    time.sleep(max(0.0, shown_at + rest - time.monotonic()))
                    shown_at = time.monotonic()
                presenter.present(beat)
    except KeyboardInterrupt:
        click.echo("The demonstration was stopped; it left nothing behind.", err=True)
        sys.exit(STOPPED)


@contextmanager
def _terminated() -> Iterator[None]:
    """Clean up after SIGTERM and SIGHUP, as after Ctrl-C."""

    def stop(number: int, _: Any) -> None:
        sys.exit(128 + number)

    before = {number: signal(number, stop) for number in (SIGTERM, SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal(number, handler)


COMMANDS: tuple[click.Command, ...] = (demo,)
