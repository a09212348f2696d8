"""The exit code of every error is the recorded one (see `recording.py`)."""

from collections.abc import Iterator

from staffeln_cli import errors
from tests.contract.recording import compare


def test_the_exit_code_of_every_error_is_as_recorded() -> None:
    codes = {cls.__name__: str(cls.exit_code) for cls in _all(errors.StaffelnError)}

    codes["Stopped"] = " ".join(
        f"{errors.Stopped(number).exit_code} (signal {number})" for number in (1, 2, 15)
    )

    compare("exit_codes.txt", "".join(f"{name} {codes[name]}\n" for name in sorted(codes)))


def _all(cls: type[errors.StaffelnError]) -> Iterator[type[errors.StaffelnError]]:
    """The class and what inherits from it, if errors.py defines it."""
    if cls.__module__ == errors.__name__:
        yield cls
    for child in cls.__subclasses__():
        yield from _all(child)
