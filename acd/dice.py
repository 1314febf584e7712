"""Chance that can be repeated: SplitMix64, whose whole state is one integer in the snapshot."""

from __future__ import annotations

from dataclasses import dataclass

MASK = 0xFFFF_FFFF_FFFF_FFFF


@dataclass(slots=True)
class Dice:
    """A stream of equally likely numbers; the same `state` gives the same stream."""

    state: int

    def roll(self) -> int:
        """The next 64 bits."""
        self.state = (self.state + 0x9E37_79B9_7F4A_7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB) & MASK
        return z ^ (z >> 31)

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1; the bias is under limit / 2**64."""
        return (self.roll() * limit) >> 64
