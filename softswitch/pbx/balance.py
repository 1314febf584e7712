"""Which trunk next, where several would do (P28).

Smooth weighted round robin: each time every candidate gains its weight, the richest is
taken and pays what all gained together.  Over any run of calls in which the candidates stay
the same, each has had its share to within one call per candidate; one that was away is not
flooded when it comes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from softswitch.pbx.carrier import Carrier


class Balance:
    """Remembers what each trunk is owed."""

    def __init__(self) -> None:
        self._owed: dict[str, float] = {}

    def spread(self, carriers: Sequence[Carrier]) -> list[Carrier]:
        """The order in which to try them: by priority, then whose turn it is."""
        ranked = sorted(carriers, key=priority)
        groups = [list(equals) for _, equals in groupby(ranked, key=priority)]
        return [carrier for equals in groups for carrier in self._turn(equals)]

    def _turn(self, equals: list[Carrier]) -> list[Carrier]:
        owed = self._owed
        for carrier in equals:
            owed[carrier.name] = owed.get(carrier.name, 0.0) + carrier.trunk.weight
        order = sorted(equals, key=lambda carrier: -owed[carrier.name])
        owed[order[0].name] -= sum(carrier.trunk.weight for carrier in equals)
        return order


def priority(carrier: Carrier) -> int:
    """Lower is seized first."""
    return carrier.trunk.priority
