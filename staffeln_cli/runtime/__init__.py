"""What a run is given: settings, cloud, store, lock, time; and the frame around each pass."""

from staffeln_cli.runtime.run import Run, run_offline, run_pass
from staffeln_cli.runtime.runtime import (
    Progress,
    Runtime,
    Stop,
    caller,
    host_name,
    user_name,
    utc_now,
)

__all__ = [
    "Progress",
    "Run",
    "Runtime",
    "Stop",
    "caller",
    "host_name",
    "run_offline",
    "run_pass",
    "user_name",
    "utc_now",
]
