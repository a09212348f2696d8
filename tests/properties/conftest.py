"""How hard Hypothesis looks: HYPOTHESIS_PROFILE is `dev` (the default) or `ci` (thorough)."""

import os
from datetime import timedelta

from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]

settings.register_profile(
    "dev",
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=_SLOW,
)
settings.register_profile(
    "ci",
    max_examples=2000,
    stateful_step_count=80,
    deadline=timedelta(seconds=2),
    suppress_health_check=_SLOW,
    print_blob=True,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))
