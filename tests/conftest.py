"""What holds for every test: properties are judged by their law, never by how fast they ran."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")

# Each switch that a test starts would compile all its modules anew: most of the suite's time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
