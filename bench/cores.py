"""Which core is whose: the server under test has the first that we may use, its load the last.

Read before anybody is pinned: a process that is shows only its own core.
"""

import os

_OURS = sorted(os.sched_getaffinity(0))
MEASURED, CROWD = {_OURS[0]}, {_OURS[-1]}
