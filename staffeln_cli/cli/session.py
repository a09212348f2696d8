"""One invocation: its global options, its configuration, and the runtime built from them."""

import logging
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from staffeln_cli.cli import signals
from staffeln_cli.cli.streams import Streams, complain

if TYPE_CHECKING:
    from staffeln_cli.config import Loaded
    from staffeln_cli.runtime import Progress, Runtime

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


@dataclass
class Session:
    """The global options, the configuration and the runtime of one invocation."""

    config: Path | None = None
    os_cloud: str | None = None
    verbosity: int = 0
    """-1 quiet, 0 as configured, 1 says what changes, 2 says everything."""
    log_format: str = "text"
    clock: Callable[[], datetime] | None = None
    streams: Streams = field(default_factory=Streams)
    environ: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    _undo: ExitStack = field(default_factory=ExitStack)

    @cached_property
    def loaded(self) -> "Loaded":
        """The configuration; ConfigError lists all its mistakes."""
        from staffeln_cli.config import find_file, load

        loaded = load(find_file(self.config, self.environ), self.environ)
        if self.os_cloud is None:
            return loaded
        settings = loaded.settings
        settings = replace(settings, cloud=replace(settings.cloud, name=self.os_cloud))
        return replace(
            loaded, settings=settings, sources={**loaded.sources, "cloud.name": "--os-cloud"}
        )

    @cached_property
    def runtime(self) -> "Runtime":
        """The runtime, with logging set up and signals caught."""
        from staffeln_cli.runtime import Runtime

        runtime = Runtime(self.loaded.settings, clock=self.clock)
        self._undo.callback(runtime.close)
        self._start_logging(runtime)
        self._undo.enter_context(signals.stopping(runtime.stop.request))
        return runtime

    def watch(self, progress: "Progress") -> None:
        """Report progress to this callback."""
        self.runtime.progress = progress

    def close(self) -> None:
        """Close everything and restore handlers and signals."""
        self._undo.close()

    def _start_logging(self, runtime: "Runtime") -> None:
        from staffeln_cli.cli import log_format

        settings = self.loaded.settings.log
        level = {-1: 40, 0: _LEVELS[settings.level], 1: 20}.get(self.verbosity, 10)
        handler: logging.Handler
        if settings.file is not None:
            handler = log_format.LogFile(settings.file, complain)
        else:
            handler = log_format.ToStderr()
            handler.addFilter(lambda record: not getattr(record, "shown", False))
        handler.addFilter(log_format.RunId(runtime.run_id))
        shape = log_format.JsonFormat if self.log_format == "json" else log_format.TextFormat
        handler.setFormatter(shape(self.loaded.settings.secret_urls()))
        root = logging.getLogger()
        self._undo.callback(root.handlers.__setitem__, slice(None), root.handlers[:])
        self._undo.callback(handler.close)
        root.handlers[:] = [handler]
        root.setLevel(max(level, logging.WARNING))
        logging.getLogger("staffeln_cli").setLevel(level)
        # It warns of each failed connection; the run itself reports what that means.
        logging.getLogger("keystoneauth").setLevel(logging.ERROR)
