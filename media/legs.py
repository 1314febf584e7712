"""Everything an engine remembers about its legs, as arrays indexed by row.

A row is a port pair; a leg occupies one from `Open` to `Close`.  The arrays are the state
of the receiving side (`in_…`), of the sending side (`out_…`) and of the relay between two
rows.  No behaviour but taking and clearing a row.
"""

from __future__ import annotations

import secrets

import numpy as np

from media.types import Array, Instant

NONE, EVENT, COMFORT, AUDIO = 0, 1, 2, 8
"""Kinds of a payload type; AUDIO + n is the codec number n of `CODECS`."""
CODECS = ("PCMU", "PCMA", "G722", "L16", "OPUS", "L16/16000", "L16/48000")
CODEC_NUMBER = {name: number for number, name in enumerate(CODECS)}
COMFORT_NOISE_TYPE = 13  # RFC 3551 §6, RFC 3389
NOWHERE = 255
"""In `relay_types`: the listener has no payload type for this."""
ABSURD = 3000
"""A jump of the sequence number beyond this is a new stream, not a loss (RFC 3550 A.1)."""


class Legs:
    """Arrays with one entry a row."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._arrays: dict[str, tuple[Array, float]] = {}

        def array(name: str, dtype: type, fill: float = 0, *tail: int) -> Array:
            made: Array = np.full((capacity, *tail), fill, dtype)
            self._arrays[name] = (made, fill)
            return made

        self.leg = array("leg", np.int64)
        """The leg that owns the row; 0: nobody."""
        self.opened = array("opened", np.float64)

        # Whom to believe
        self.believed = array("believed", np.uint64)
        """Key of the source whose packets count; 0: none yet."""
        self.signalled = array("signalled", np.uint64)
        """Key of the address that signalling named."""
        self.latch_until = array("latch_until", np.float64, -np.inf)
        self.may_latch = array("may_latch", np.bool_)
        self.connected = array("connected", np.float64, np.inf)
        """When signalling last spoke."""
        self.kinds = array("kinds", np.uint8, NONE, 128)
        """What each payload type carries."""
        self.secure = array("secure", np.bool_)

        # Receiving (RFC 3550 A.1, A.8)
        self.receiving = array("receiving", np.bool_)
        self.in_started = array("in_started", np.bool_)
        self.in_ssrc = array("in_ssrc", np.int64, -1)
        self.in_highest = array("in_highest", np.int64)
        """Highest sequence number, unwrapped."""
        self.in_window = array("in_window", np.uint64)
        """Bit k: the packet `in_highest - k` came."""
        self.in_base = array("in_base", np.int64)
        self.in_timestamp = array("in_timestamp", np.int64)
        """Timestamp of the highest packet, unwrapped."""
        self.in_last = array("in_last", np.float64, -np.inf)
        """When the last believed packet came."""
        self.in_clock = array("in_clock", np.float64, 8000.0)
        self.in_jitter = array("in_jitter", np.float64)
        self.in_codec = array("in_codec", np.uint8, NONE)
        """Kind of the last audio packet: the codec that the peer speaks now."""
        self.in_packets = array("in_packets", np.int64)
        self.in_octets = array("in_octets", np.int64)
        self.in_lost_before = array("in_lost_before", np.int64)
        """Losses of streams that ended by a change of SSRC."""
        self.in_span_before = array("in_span_before", np.int64)
        self.in_current = array("in_current", np.int64)
        """Packets of the present stream, duplicates not counted."""
        self.duplicate = array("duplicate", np.int64)
        self.reordered = array("reordered", np.int64)
        self.invalid = array("invalid", np.int64)
        self.bleed = array("bleed", np.int64)
        self.unauthentic = array("unauthentic", np.int64)
        self.decoding = array("decoding", np.bool_)
        """Somebody needs this leg's samples, not only its packets."""

        # Sending
        self.sending = array("sending", np.bool_)
        self.out_ssrc = array("out_ssrc", np.int64)
        self.out_next = array("out_next", np.int64)
        """Sequence number of the next packet, unwrapped."""
        self.out_timestamp = array("out_timestamp", np.int64)
        """Timestamp of the newest packet sent."""
        self.out_time = array("out_time", np.float64)
        """When that was."""
        self.out_clock = array("out_clock", np.float64, 8000.0)
        self.out_frame = array("out_frame", np.int64, 160)
        """Ticks of one packet."""
        self.out_type = array("out_type", np.int64)
        self.out_packets = array("out_packets", np.int64)
        self.out_octets = array("out_octets", np.int64)
        self.out_event_type = array("out_event_type", np.int64, -1)

        # Relay
        self.relay_to = array("relay_to", np.int64, -1)
        """Row that gets this row's packets; -1: none."""
        self.flows = array("flows", np.bool_)
        """Whether it gets them: both directions allow it."""
        self.relay_types = array("relay_types", np.uint8, NOWHERE, 128)
        """By the source's row: payload type there to payload type at the listener."""
        self.shift_sequence = array("shift_sequence", np.int64)
        """By the listener's row: what to add to the source's numbers."""
        self.shift_timestamp = array("shift_timestamp", np.int64)
        self.fresh = array("fresh", np.bool_, True)
        """By the listener's row: its source changed, so the next packet sets the shifts."""
        self.floor = array("floor", np.int64)
        """By the listener's row: the source's number at the change; older ones are not sent."""

    def take(self, row: int, leg: int, now: Instant) -> None:
        """Give `row` to `leg`, everything else as new."""
        self.clear(row)
        self.leg[row], self.opened[row] = leg, now
        self.out_ssrc[row] = secrets.randbits(32)
        self.out_next[row] = 0x10000 + secrets.randbits(15)  # RFC 3550 §5.1: random, no early wrap
        self.out_timestamp[row] = secrets.randbits(32)
        self.out_time[row] = now

    def clear(self, row: int) -> None:
        for made, fill in self._arrays.values():
            made[row] = fill

    def lost(self, row: int) -> int:
        """Packets expected and never received (RFC 3550 A.3), over all streams of the leg."""
        return int(self.in_lost_before[row]) + max(self.span(row) - int(self.in_current[row]), 0)

    def span(self, row: int) -> int:
        """Packets that the present stream's numbers cover."""
        if not self.in_started[row]:
            return 0
        return int(self.in_highest[row] - self.in_base[row]) + 1
