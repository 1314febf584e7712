"""The engine's decisions as sentences: why this agent, why nobody, why still waiting."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from acd import explain
from acd.floor import Floor
from acd.types import Instant
from softswitch.api import models
from softswitch.pbx.acd_settings import STRICT


def offers_of(floor: Floor, name: str) -> list[dict[str, Any]]:
    """Every offer that was made for the call, as far back as decisions are in memory."""
    decisions = [d for d in floor.decisions if d.call.startswith(name)]
    return [found for d in decisions if (found := explain.explain_offer(floor, d.offer))]


def explain_call(
    floor: Floor, name: str, offers: Sequence[dict[str, Any]]
) -> models.Explanation | None:
    """Of each of these offers of the call why it was made; without any, why it waits."""
    if not offers:
        return explain_waiting(floor, name)
    sentences = [sentence for offer in offers for sentence in _of_offer(offer)]
    return models.Explanation(
        subject=f"call {name}", sentences=sentences, facts={"offers": list(offers)}
    )


def explain_agent(floor: Floor, name: str) -> models.Explanation | None:
    facts = explain.explain_agent(floor, name)
    if facts is None:
        return None
    since = _time(facts["since"])
    sentences = [f"{name} is {facts['state']} since {since}."]
    if "because" in facts:
        sentences.append(f"No call is offered to {name}: {facts['because']}.")
    for queue, held in facts["on_hold"].items():
        sentences.append(f"A caller of {queue} has been on hold for {held:.0f} seconds.")
    sentences += [f"{queue}: {why}." for queue, why in facts["queues"].items()]
    return models.Explanation(subject=f"agent {name}", sentences=sentences, facts=facts)


def explain_waiting(floor: Floor, name: str) -> models.Explanation | None:
    found = next((call for call in floor.calls if call.startswith(name)), None)
    facts = explain.explain_waiting(floor, found) if found else None
    if facts is None:
        return None
    sentences = [f"Call {found} {facts['standing']}."]
    for queue, at in facts["queues"].items():
        needs = at["needs"]["skills"] or "nothing in particular"
        waited = f"{at['waited']:.0f} seconds"
        sentences.append(f"{queue}: position {at['position']}, waited {waited}, needs {needs}.")
        sentences += [f"  {agent}: {why}." for agent, why in at["agents"].items()]
    return models.Explanation(subject=f"waiting {found}", sentences=sentences, facts=facts)


def explain_queue(floor: Floor, name: str) -> models.Explanation | None:
    """How it decides, who could serve, and why the first in line is not being served."""
    facts, queue = explain.explain_queue(floor, name), floor.queues.get(name)
    if facts is None or queue is None:
        return None
    sentences = [*_of_service(facts), *_of_prediction(facts["prediction"])]
    if facts["shadow"]:
        sentences.append(
            f"Its shadow {facts['shadow']} would have decided otherwise in"
            f" {facts['shadow_differed']} of {facts['shadow_decisions']} choices."
        )
    first = explain_waiting(floor, queue.line[0][3].call.id) if queue.line else None
    sentences += first.sentences if first is not None else ()
    return models.Explanation(subject=f"queue {name}", sentences=sentences, facts=facts)


def _of_service(facts: dict[str, Any]) -> Iterator[str]:
    state = "open" if facts["open"] else "closed"
    staff = f"{facts['logged_in']} agents logged in, {facts['ready']} ready"
    yield f"{facts['queue']} is {state}: {facts['waiting']} wait, {staff}."
    yield f"It serves by {facts['strategy']}; {facts['free']} agents are free."
    if facts["yields"] >= STRICT:
        yield "Priority is strict: less important callers may wait for ever."
    else:
        yield (
            f"{facts['yields']:g} seconds of waiting make up for a level of priority: nobody who"
            " comes later than that, for each level, is served before."
        )


def _of_prediction(found: dict[str, Any]) -> Iterator[str]:
    if found["coverage"] is None:
        yield "Too few have waited to say how good its predictions are."
        return
    error = found["error"][found["chosen"]]
    yield (
        f"Waits are predicted by {found['chosen']}: {error:.0f} seconds wrong in the mean;"
        f" {found['coverage']:.0%} of intervals held, {found['nominal']:.0%} are meant to"
        f" ({found['judged']} judged)."
    )


def _of_offer(offer: dict[str, Any]) -> Iterator[str]:
    at, agent = _time(offer["at"]), offer["agent"]
    yield f"{at}: {offer['queue']} offered the call to {agent} by {offer['strategy']}."
    others = [row for row in offer["callers"] if row[2] != offer["call"]]
    if others:
        ahead = ", ".join(f"{call} in {queue}" for _, _, call, queue in others)
        yield f"  It came before {ahead}: priority, then arrival."
    for call, why in offer["passed"].items():
        yield f"  {call} stands before it in {offer['queue']}, but {why}."
    if offer["agents"]:
        yield f"  {agent} was chosen of {offer['free']} free; tie-break: {offer['tie_break']}."
    else:
        yield f"  {agent} had just become free, and this caller was the first whom {agent} suits."
    for name, verdict in offer["candidates"].items():
        if name != agent:
            yield f"  {name}: {verdict}."


def _time(instant: Instant) -> str:
    return f"{dt.datetime.fromtimestamp(instant):%Y-%m-%d %H:%M:%S}"
