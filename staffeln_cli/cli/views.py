"""The commands that only look."""

import click

COMMANDS: tuple[click.Command, ...] = ()
