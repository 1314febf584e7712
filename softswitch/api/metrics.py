"""Counters and gauges for Prometheus, from a snapshot that the switch takes of itself.

The snapshot is taken in the event loop and costs little; writing it out takes milliseconds and
happens in a thread.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_FAMILIES: Final = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily}


class Metric(NamedTuple):
    """One family of samples: a value for each set of label values.

    `name` is without our prefix and, for counters, without `_total`; without labels there is
    one sample, under the empty tuple.
    """

    name: str
    help: str
    kind: Literal["counter", "gauge"]
    labels: Sequence[str]
    samples: Iterable[tuple[Sequence[str], float]]


def gauge(name: str, text: str, value: float) -> Metric:
    """One number without labels that goes up and down."""
    return Metric(name, text, "gauge", (), [((), value)])


def counter(name: str, text: str, value: float) -> Metric:
    """One number without labels that only grows."""
    return Metric(name, text, "counter", (), [((), value)])


class _Snapshot(Collector):
    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Family]:
        for name, text, kind, labels, samples in self._metrics:
            family = _FAMILIES[kind](f"softswitch_{name}", text, labels=labels)
            for values, value in samples:
                family.add_metric(values, value)
            yield family


async def rendered(metrics: Sequence[Metric]) -> bytes:
    """`metrics` and those of the process, in Prometheus' text format."""
    return await asyncio.to_thread(_render, metrics)


def _render(metrics: Sequence[Metric]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Snapshot(metrics))
    ProcessCollector(registry=registry)
    return generate_latest(registry)
