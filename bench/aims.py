"""What the figures ought to be, and what each is compared with."""

from __future__ import annotations

from dataclasses import dataclass

PEERS = {"kamailio": "Kamailio", "rtpengine": "rtpengine", "asterisk": "Asterisk", "sippy": "sippy"}
"""Other people's programs, by the word with which the names of their figures begin."""

BASELINES = {
    **{
        f"signalling.switch_{load}_ms": f"signalling.kamailio_{load}_ms"
        for load in ("call", "call_with_digest", "registration")
    },
    "b2bua.switch_call_ms": "b2bua.sippy_call_ms",
    "b2bua.switch_call_with_digest_ms": "b2bua.asterisk_call_with_digest_ms",
    "b2bua.switch_registration_ms": "b2bua.asterisk_registration_ms",
    **{
        f"asterisk.switch_{kind}_{name}": f"asterisk.asterisk_{kind}_{name}"
        for kind in ("relay", "rooms", "hold")
        for name in ("us_per_frame", "spacing_p999_ms")
    },
    **{
        f"relay.{backend}_{name}": f"relay.rtpengine_{name}"
        for backend in ("io_uring", "epoll")
        for name in ("us_per_packet", "delay_median_ms", "delay_p99_ms", "jitter_p99_ms")
    },
}
"""What a figure is compared with: a peer's, under the same load on the same core."""

_R = "relay.rtpengine_us_per_packet"


@dataclass(frozen=True, slots=True)
class Aim:
    """A figure's limit; with a baseline it is a limit of the ratio to that figure."""

    figure: str
    limit: float
    of: str = ""
    at_least: bool = False

    def met(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit


def peer_of(figure: str) -> str:
    """Whose figure it is; the figure's own name if it is ours."""
    word = figure.partition(".")[2].partition("_")[0]
    return PEERS.get(word, figure)


AIMS = {
    aim.figure: aim
    for aim in (
        Aim("signalling.call_ratio_to_kamailio", 5.0),
        Aim("signalling.call_with_digest_ratio_to_kamailio", 6.0),
        Aim("signalling.call_through_queue_ratio_to_kamailio", 7.0),
        Aim("signalling.call_through_queue_ratio_to_direct", 1.3),
        Aim("signalling.registration_ratio_to_kamailio", 5.0),
        Aim("dialling.delay_p99_ms", 20.0),
        Aim("held.kb_per_call_at_5000_calls", 60.0),
        Aim("held.call_ms_by_calls_exponent", 0.05),
        Aim("registered.registration_ms_by_phones_exponent", 0.05),
        Aim("relay.io_uring_us_per_packet", 0.6, _R),
        Aim("relay.epoll_us_per_packet", 0.9, _R),
        Aim("relay.io_uring_loss", 1e-4),
        Aim("relay.epoll_loss", 1e-4),
        Aim("relay.io_uring_delay_p99_ms", 3.0),
        Aim("limits.io_uring_most_calls_of_rtpengine", 1.5, at_least=True),
        Aim("rooms.one_room_us_per_frame", 0.7, _R),
        Aim("rooms.rooms_of_10_us_per_frame", 0.7, _R),
        Aim("rooms.one_room_spacing_p999_ms", 2.0),
        Aim("rooms.rooms_of_10_spacing_p999_ms", 2.0),
        Aim("rooms.one_room_busy_spacing_p999_ms", 2.0),
        Aim("rooms.rooms_of_10_busy_spacing_p999_ms", 2.0),
        Aim("hold.busy_spacing_p999_ms", 2.0),
        Aim("transcode.busy_spacing_p999_ms", 2.0),
        Aim("hold.us_per_frame", 0.35, _R),
        Aim("hold.spacing_p999_ms", 2.0),
        Aim("transcode.calls_on_a_core", 500.0, at_least=True),
        Aim("transcode.spacing_p999_ms", 2.0),
        Aim("recording.us_per_packet", 1.0, _R),
        Aim("opening.opening_median_us", 100.0),
        Aim("opening.change_longest_ms", 20.0),  # one tick
        Aim("opening.entering_at_once_gap_ms", 2.0),
        Aim("opening.leaving_at_once_gap_ms", 2.0),
        Aim("engine.decisions_per_s_with_1000_agents", 50_000.0, at_least=True),
        Aim("engine.decision_us_by_agents_exponent", 0.15),
        Aim("engine.decision_us_by_waiting_exponent", 0.15),
        Aim("engine.decision_us_by_queues_exponent", 0.15),
        Aim("engine.day_of_10000_s", 10.0),
    )
}
