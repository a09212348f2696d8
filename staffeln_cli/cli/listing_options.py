"""Rows on stdout, with the options of the openstack client for format, columns and order."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from staffeln_cli.cli import signals
from staffeln_cli.cli.show import exit_on_error
from staffeln_cli.model.text import one_line

if TYPE_CHECKING:
    from staffeln_cli.cli.session import Session
    from staffeln_cli.commands.status.views import View
    from staffeln_cli.runtime import Runtime

_Command = TypeVar("_Command", bound=Callable[..., Any])


only_project = click.option("--project", metavar="NAME|ID", help="Only show this project.")
only_server = click.option("--server", metavar="NAME|ID", help="Only show this server.")
only_volume = click.option("--volume", metavar="NAME|ID", help="Only show this volume.")


def listed(command: _Command) -> _Command:
    """Add the options that every listing of the openstack client has."""
    for option in (
        click.option("--limit", type=click.IntRange(1), metavar="N", help="Show at most N rows."),
        click.option("--sort-descending", is_flag=True, help="Sort in descending order."),
        click.option(
            "--sort-column",
            "sort_columns",
            multiple=True,
            metavar="COLUMN",
            help="Sort by this column; repeatable.",
        ),
        click.option(
            "-c",
            "--column",
            "columns",
            multiple=True,
            metavar="COLUMN",
            help="Show this column; repeatable.",
        ),
        click.option(
            "-f",
            "--format",
            "shape",
            type=click.Choice(["table", "json", "csv", "value"]),
            default="table",
            help="Output format.",
        ),
    ):
        command = option(command)
    return command


def show_view(
    session: "Session", name: str, options: dict[str, Any], look: "Callable[[Runtime, Any], View]"
) -> None:
    """Print a view in the requested format, columns and order."""
    from staffeln_cli.commands.status import views
    from staffeln_cli.commands.status.filters import filter_of

    known = views.COLUMNS[name]
    shape, limit = options.pop("shape"), options.pop("limit")
    columns = _known("-c", options.pop("columns"), known)
    order = _known("--sort-column", options.pop("sort_columns"), known)
    descending = options.pop("sort_descending")
    with exit_on_error():
        runtime = read_only_runtime(session)
        view = look(runtime, filter_of(runtime, **options))
        if order:
            view = view.by(order, descending=descending)
        _print(name, view.first(limit), shape, columns)


def _print(name: str, view: "View", shape: str, columns: tuple[str, ...]) -> None:
    if shape == "table":
        from staffeln_cli.render import table

        safe_output()
        view = view.of(columns or table.usual_columns(name))
        table.show(view.columns, view.rows, whole=bool(columns))
        table.show_remarks(view.remarks)
        return
    from staffeln_cli.render.rows import SHAPES

    view = view.of(columns) if columns else view
    safe_output()
    for text in SHAPES[shape](view.columns, view.rows):
        sys.stdout.write(text)


def _known(option: str, names: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    """The names of columns in the view's spelling; case and spaces do not matter."""
    plain = tuple(name.strip().lower().replace(" ", "_") for name in names)
    if unknown := [name for name, one in zip(names, plain, strict=True) if one not in known]:
        raise click.UsageError(
            f"{option}: no column {', '.join(map(repr, unknown))}; there are {', '.join(known)}"
        )
    return plain


def read_only_runtime(session: "Session") -> "Runtime":
    """The runtime of a command that changes nothing: a signal ends it at once."""
    runtime = session.runtime
    signals.end_at_once()
    return runtime


def write(text: str) -> None:
    """Print a text with any characters."""
    safe_output()
    click.echo(text)


def say(text: str) -> None:
    """Print it on a terminal only; under cron, only problems are printed."""
    if sys.stdout.isatty():
        write(one_line(text))


def safe_output() -> None:
    """Characters that the locale cannot print become escapes, not a crash."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
