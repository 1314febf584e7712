"""Whom to believe: which packets belong to a leg, and which are strangers'.

* A leg believes the address that signalling named, and nobody else,
* unless its peer may be behind NAT: then the first source that sends valid RTP of an agreed
  payload type within a window after signalling wins; the signalled address outranks it
  while the window is open.
* It moves again only after signalling spoke again, or when the believed source, having
  sent, was silent for longer than any pause explains.

Everything else is dropped and counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from media.legs import AUDIO, Legs
from media.rtp import Packets
from media.types import Instant, Ints, Mask, Quads, Seconds


@dataclass(frozen=True, slots=True)
class Judgement:
    """Which packets of a batch count, and which legs found their source elsewhere."""

    believed: Mask
    moved: list[int]
    """Indices of packets whose source their leg believes from now on."""


def judge(
    legs: Legs, packets: Packets, keys: Quads, kinds: Ints, now: Instant, silence: Seconds
) -> Judgement:
    """Tell own packets from strangers'; rows are all different.  Counts what is dropped."""
    rows = packets.leg
    own = keys == legs.believed[rows]
    good = packets.valid & (kinds != 0)
    believed = own & good
    if np.count_nonzero(believed) == len(rows):
        return Judgement(believed, [])
    moved = [
        i
        for i in np.flatnonzero(~own & legs.may_latch[rows] & good & (kinds >= AUDIO)).tolist()
        if _may_move(legs, int(rows[i]), int(keys[i]), now, silence)
    ]
    for i in moved:
        legs.believed[rows[i]] = keys[i]
        own[i] = believed[i] = True
    legs.invalid[rows] += own & ~good
    legs.bleed[rows] += ~own
    return Judgement(believed, moved)


def _may_move(legs: Legs, row: int, key: int, now: Instant, silence: Seconds) -> bool:
    last = legs.in_last[row]
    heard = last > legs.connected[row]
    if now <= legs.latch_until[row]:
        return not heard or key == int(legs.signalled[row])
    return bool(heard and now - last > silence)
