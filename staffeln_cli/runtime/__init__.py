"""What a run is given: settings, cloud, store, lock, time; and the frame around each pass."""

from staffeln_cli.runtime.run import Run, cycle
from staffeln_cli.runtime.runtime import Progress, Runtime, Stop, host_name, utc_now

__all__ = ["Progress", "Run", "Runtime", "Stop", "cycle", "host_name", "utc_now"]
