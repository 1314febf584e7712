"""Sound is slow to make on a busy machine: examples have no deadline."""

from hypothesis import settings

settings.register_profile("media", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("media")
