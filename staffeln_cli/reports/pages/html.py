"""Pages as HTML and as plain text, from templates that an operator can replace."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    TemplateError,
    select_autoescape,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from staffeln_cli.config.files import refuse_foreign
from staffeln_cli.errors import ConfigError
from staffeln_cli.model.text import escaped
from staffeln_cli.planning.recovery import rounded

_OF_TEMPLATES = (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError)
"""What an expression in a template, or its file, may raise beside Jinja's own errors."""
_BAR = 40
"""Characters of a bar in plain text."""


class Pages:
    """The templates: first those in the operator's folder, then the ones of the package."""

    def __init__(self, folder: Path | None = None) -> None:
        self._has_own = folder is not None
        if folder is not None:
            _check_folder(folder)
        own = [_OwnTemplates(folder)] if folder is not None else []
        self._templates = ImmutableSandboxedEnvironment(
            loader=ChoiceLoader([*own, PackageLoader("staffeln_cli")]),
            autoescape=select_autoescape(enabled_extensions=("html.j2",)),
            finalize=_without_controls,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "number": "{:,}".format,
            "textbar": textbar,
            "duration": lambda length: str(rounded(length.total_seconds())),
            "seconds": lambda seconds: str(rounded(seconds)),
        }

    def html(self, page: object, **more: object) -> str:
        """A page as HTML; all names and reasons are escaped."""
        return self._rendered("page.html.j2", {"page": page, **more})

    def text(self, page: object, **more: object) -> str:
        """The same page as plain text."""
        return self._rendered("page.txt.j2", {"page": page, **more})

    def evidence(self, audit: object, when: Callable[[datetime | None], str]) -> str:
        """The evidence for auditors as HTML."""
        return self._rendered("audit.html.j2", {"audit": audit, "when": when})

    def _rendered(self, name: str, values: dict[str, object]) -> str:
        try:
            return self._templates.get_template(name).render(values)
        except TemplateError as error:
            line = getattr(error, "lineno", None)
            place = f"{name}, line {line}" if line else name
            raise ConfigError([f"report.templates: {place}: {error}"]) from error
        except _OF_TEMPLATES as error:
            if not self._has_own:
                raise  # in a template of ours, it is a bug
            reason = f"{type(error).__name__}: {error}"
            raise ConfigError([f"report.templates: {name}: {reason}"]) from error


def _without_controls(value: object) -> object:
    """Escape control and direction characters in whatever a template shows."""
    return escaped(value) if type(value) is str else value


class _OwnTemplates(FileSystemLoader):
    """An operator's templates; those that another user could change are refused."""

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """The text of a template, where it is, and whether it is still the same."""
        source, path, is_unchanged = super().get_source(environment, template)
        refuse_foreign(Path(path).parent)
        refuse_foreign(Path(path))
        return source, path, is_unchanged


def textbar(percent: int) -> str:
    """A bar in plain text."""
    filled = min(_BAR, max(0, percent) * _BAR // 100)
    return f"[{'#' * filled}{'.' * (_BAR - filled)}]"


def _check_folder(folder: Path) -> None:
    try:
        is_folder = folder.is_dir()
    except OSError as error:
        why = f"cannot be read: {error.strerror}"
        raise ConfigError([f"report.templates: {folder}: {why}"]) from error
    if not is_folder:
        raise ConfigError([f"report.templates: {folder}: is not a folder"])
