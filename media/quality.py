"""How a leg sounds, estimated from loss and delay: the E-model (ITU-T G.107), simplified.

All impairments but delay and packet loss are at the model's defaults, so R begins at 93.2.
"""

from __future__ import annotations

from media.types import Seconds

_BEST = 93.2
_WORST_EQUIPMENT = 95.0
_EQUIPMENT = {  # impairment, robustness to loss (ITU-T G.113 Appendix I; Opus: by analogy)
    "PCMU": (0.0, 25.1),
    "PCMA": (0.0, 25.1),
    "L16": (0.0, 25.1),
    "G722": (0.0, 25.1),
    "OPUS": (0.0, 30.0),
}
_UNKNOWN = (10.0, 10.0)


def mos(codec: str, lost: float, delay: Seconds) -> float:
    """Mean opinion score, 1.0 to 4.5, of `lost` (0 to 1) packets and a one-way `delay`."""
    equipment, robustness = _EQUIPMENT.get(codec.upper(), _UNKNOWN)
    percent = 100.0 * min(max(lost, 0.0), 1.0)
    effective = equipment + (_WORST_EQUIPMENT - equipment) * percent / (percent + robustness)
    return _opinion(_BEST - _delay_impairment(1000.0 * delay) - effective)


def _delay_impairment(ms: float) -> float:
    """The usual piecewise line through G.107's Id."""
    return 0.024 * ms + (0.11 * (ms - 177.3) if ms > 177.3 else 0.0)


def _opinion(rating: float) -> float:
    """G.107 Annex B."""
    if rating <= 0:
        return 1.0
    if rating >= 100:
        return 4.5
    return max(1.0, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6)
