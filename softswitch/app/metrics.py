"""Counters and gauges of every part, gathered when somebody asks."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import fields

from media.client import Media
from media.events import EngineStats
from softswitch.api.metrics import Metric, counter, gauge
from softswitch.app.homer import Homer
from softswitch.app.pulse import Pulse
from softswitch.app.signalling import Signalling
from softswitch.app.tasks import Tasks
from softswitch.pbx.switch import Switch

PATIENCE = 1.0
"""Seconds that an engine may take to say how it fares."""


class Meters:
    """Reads the parts' own counters; keeps nothing."""

    def __init__(
        self,
        switch: Switch,
        signalling: Signalling,
        media: Media,
        homer: Homer,
        tasks: Tasks,
        pulse: Pulse,
    ) -> None:
        self._switch, self._signalling, self._media = switch, signalling, media
        self._homer, self._tasks, self._pulse = homer, tasks, pulse

    async def read(self) -> list[Metric]:
        engines: Sequence[EngineStats] = ()
        with suppress(TimeoutError):  # an engine that is held up is seen by its absence
            async with asyncio.timeout(PATIENCE):
                engines = await self._media.stats()
        return [
            *self._stalls(),
            *self._calls(),
            *self._queues(),
            *self._store(),
            *self._sip(),
            *_sound(self._media, engines),
        ]

    def _stalls(self) -> Iterator[Metric]:
        pulse = self._pulse
        yield counter("loop_stalls", "Times that everything waited over 0.1 s", pulse.stalls)
        yield counter("loop_stalled_seconds", "How long in all", pulse.stalled)
        yield gauge("loop_stall_longest_seconds", "The longest since the start", pulse.longest)

    def _calls(self) -> Iterator[Metric]:
        switch = self._switch
        yield gauge("calls", "Calls in progress", len(switch.calls))
        yield gauge("legs", "Legs of calls in progress", switch.leg_count)
        yield gauge("registrations", "Bindings held", len(switch.locations.registrar))
        yield gauge("alarms", "Alarms that stand", len(list(switch.alarms)))
        yield gauge("tasks", "Coroutines of calls and features", len(self._tasks))
        yield gauge("draining", "1 while no new calls are taken", switch.draining)

    def _queues(self) -> Iterator[Metric]:
        """Counts since the engine's beginning; a restart does not reset them."""
        centre = self._switch.centre
        floor, now = centre.floor, centre.keeper.clock()
        lines = [((q.name,), float(len(q.line))) for q in floor.queues.values()]
        yield Metric("queue_waiting", "Who waits, callbacks included", "gauge", ("queue",), lines)
        waits = [((q.name,), q.longest_wait(now)) for q in floor.queues.values()]
        yield Metric("queue_longest_wait", "Seconds", "gauge", ("queue",), waits)
        staff = [((q.name,), float(q.staff)) for q in floor.queues.values()]
        yield Metric("queue_staff", "Agents ready, busy or not", "gauge", ("queue",), staff)
        entered = [((q.name,), float(q.entered)) for q in floor.queues.values()]
        yield Metric("queue_entered", "Visits begun", "counter", ("queue",), entered)
        ended = [
            ((q.name, outcome), float(count))
            for q in floor.queues.values()
            for outcome, count in q.ended.items()
        ]
        yield Metric("queue_ended", "Visits by outcome", "counter", ("queue", "outcome"), ended)
        doing = Counter(agent.state.value for agent in floor.agents.values())
        states = [((state,), float(count)) for state, count in doing.items()]
        yield Metric("agents", "Agents by state", "gauge", ("state",), states)
        errors = [
            ((name, estimator), error)
            for name, found in centre.keeper.engine.accuracy().items()
            for estimator, error in found.error.items()
        ]
        labels = ("queue", "estimator")
        yield Metric("queue_wait_error", "Mean error of predictions, s", "gauge", labels, errors)

    def _store(self) -> Iterator[Metric]:
        store = self._switch.store
        yield gauge("journal_backlog", "Rows the database has not yet got", store.writer.backlog)
        yield gauge("records_unsaved", "Rows that a full disk keeps out", store.records.unsaved)
        yield counter("rows_refused", "Rows that the database refused", store.writer.refused)

    def _sip(self) -> Iterator[Metric]:
        signalling = self._signalling
        counters = signalling.driver.counters
        named = [((field.name,), getattr(counters, field.name)) for field in fields(counters)]
        yield Metric("sip_messages", "SIP messages by fate", "counter", ("fate",), named)
        told = [((name,), float(count)) for name, count in signalling.ua.counters.items()]
        yield Metric("sip_happenings", "What the SIP stack met", "counter", ("kind",), told)
        alive = [((name,), float(n)) for name, n in signalling.ua.overview().items()]
        yield Metric("sip_alive", "What the SIP stack holds", "gauge", ("kind",), alive)
        forgiven = [
            ((f.name.lower(),), float(n)) for f, n in signalling.challenger.forgiven.items()
        ]
        yield Metric("digest_forgiven", "Faulty digests taken", "counter", ("fault",), forgiven)
        yield counter("guard_dropped", "Messages of refused sources", signalling.guard.dropped)
        streams = signalling.transports.streams
        held = [((name,), float(len(each))) for name, each in streams.items()]
        yield Metric("connections", "Open connections", "gauge", ("transport",), held)
        refused = [((name,), float(each.refused)) for name, each in streams.items()]
        yield Metric("connections_refused", "Cut off", "counter", ("transport",), refused)
        yield counter("hep_lost", "Copies that did not leave", self._homer.lost)


def _sound(media: Media, engines: Sequence[EngineStats]) -> Iterator[Metric]:
    used, there = media.usage
    yield gauge("media_ports_used", "Port pairs in use", used)
    yield gauge("media_ports", "Port pairs of all engines", there)
    for name, text in (
        ("ticks", "Frames of 20 ms made"),
        ("late_ticks", "Frames that came a frame or more late"),
        ("skipped_frames", "Frames never made"),
        ("oversize", "Packets too long"),
        ("refused", "Sends that the kernel refused"),
        ("cpu", "Processor time in seconds"),
    ):
        samples = [((str(n),), float(getattr(each, name))) for n, each in enumerate(engines)]
        yield Metric(f"media_{name}", text, "counter", ("engine",), samples)
