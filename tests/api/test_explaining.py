"""The engine's decisions, told in sentences."""

from __future__ import annotations

from acd.actions import Offer
from acd.events import AgentPaused, AgentResumed
from softswitch.api.views.explaining import explain_agent, explain_call, explain_waiting
from tests.acd.floorplan import Centre, only, queue, settings


def test_why_this_agent_why_idle_and_why_waiting() -> None:
    """The later caller is served first: the other asks for what Anna does not speak."""
    centre = Centre(settings({"sales": queue("anna", "boris")}))
    centre.tell(AgentPaused("anna", "tea"), AgentPaused("boris", "lunch"))
    centre.call("c-early", "sales", skills="not french and french")
    centre.call("c-late", "sales")
    only(centre.tell(AgentResumed("anna")), Offer)
    floor = centre.engine.floor

    told = explain_call(floor, "c-late")
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
    assert explain_call(floor, "nobody") is None
