"""The engine's decisions, told in sentences."""

from __future__ import annotations

import re

from acd.actions import Offer
from acd.events import AgentPaused, AgentResumed
from acd.simulate.day import simulate
from acd.simulate.laws import Exponential
from acd.simulate.scenario import one_queue
from softswitch.api.views.explaining import (
    explain_agent,
    explain_call,
    explain_queue,
    explain_waiting,
    offers_of,
)
from tests.acd.floorplan import Centre, only, queue, settings


def test_why_this_agent_why_idle_and_why_waiting() -> None:
    """The later caller is served first: the other asks for what Anna does not speak."""
    centre = Centre(settings({"sales": queue("anna", "boris")}))
    centre.tell(AgentPaused("anna", "tea"), AgentPaused("boris", "lunch"))
    centre.call("c-early", "sales", skills="not french and french")
    centre.call("c-late", "sales")
    only(centre.tell(AgentResumed("anna")), Offer)
    floor = centre.engine.floor

    told = explain_call(floor, "c-late", offers_of(floor, "c-late"))
    idle = explain_agent(floor, "boris")
    waiting = explain_waiting(floor, "c-early")

    assert told is not None
    assert idle is not None
    assert waiting is not None
    assert told.sentences[1:] == [
        "  c-early stands before it in sales, but needs 'not french and french'.",
        "  anna had just become free, and this caller was the first whom anna suits.",
        "  boris: paused (lunch).",
    ]
    assert idle.sentences[1] == "No call is offered to boris: paused: lunch."
    assert waiting.sentences[0] == "Call c-early waits."
    assert explain_call(floor, "nobody", []) is None


def test_how_a_queue_decides_and_how_well_it_predicts() -> None:
    """With its bound of starvation, and what another strategy would have made of it."""
    rules = queue("anna", "boris", strategy="linear", shadow="longest-idle", ageing=30.0)
    centre = Centre(settings({"sales": rules}))
    for n in range(20):
        centre.serve(f"c{n}", "sales")
    told = explain_queue(centre.engine.floor, "sales")
    assert told is not None
    assert told.sentences == [
        "sales is open: 0 wait, 2 agents logged in, 2 ready.",
        "It serves by linear; 2 agents are free.",
        "30 seconds of waiting make up for a level of priority: nobody who comes later than that,"
        " for each level, is served before.",
        "Too few have waited to say how good its predictions are.",
        "Its shadow longest-idle would have decided otherwise in 19 of 20 choices.",
    ]
    assert explain_queue(centre.engine.floor, "nowhere") is None


def test_a_queue_tells_how_wrong_it_was() -> None:
    scenario = one_queue(10, 220.0, 2.0, patience=Exponential(120.0))
    told = explain_queue(simulate(scenario).engine.floor, "q")
    assert told is not None
    assert re.search(r"\d+ seconds wrong in the mean; \d\d% of intervals held", told.sentences[3])
