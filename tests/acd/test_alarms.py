"""An engine that goes wrong says so at once; what it decided long ago can still be explained."""

from __future__ import annotations

import pytest

from acd.actions import Action, Alarm, Offer, ShadowDiffered
from acd.agent import HISTORY, Agent
from acd.engine import Engine
from acd.events import AgentLegEnded, AgentPaused, AgentResumed, CallJoined
from acd.journal import encode, explain_call
from acd.matcher import Matcher
from acd.pool import Pool
from acd.settings import AgentSettings
from tests.acd.floorplan import Centre, of, only, queue, settings


def quiet(centre: Centre, event: CallJoined | AgentLegEnded) -> list[Action]:
    """Tell without the check that the helper makes: alarms are wanted here."""
    return centre.engine.handle(event, centre.now)


def unaudited(*agents: str) -> Centre:
    return Centre(settings({"q": queue(*agents)}, audit_every=0))


def test_a_caller_left_beside_a_free_agent_raises_an_alarm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without any audit: the event that did it tells, with its trace."""
    centre = unaudited("anna")
    monkeypatch.setattr(Matcher, "settle", lambda self: None)
    centre.engine.floor.freed.clear()
    alarm = only(quiet(centre, CallJoined("one", ("q",))), Alarm)
    assert (alarm.rule, alarm.detail) == ("work conservation", "one waits in q beside anna")
    assert "CallJoined" in alarm.trace[-1]


def test_serving_out_of_order_raises_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    centre = unaudited("anna")
    offer = only(centre.call("busy"), Offer)
    centre.take(offer.offer)
    centre.call("first")
    centre.call("second")
    monkeypatch.setattr(
        Matcher, "_first", lambda self, pool, shelf, agent: shelf[-1] if shelf else None
    )
    said = quiet(centre, AgentLegEnded("anna", f"leg-{offer.offer}"))
    assert only(said, Alarm).detail == "second came before first in q"


def test_a_second_offer_to_a_busy_agent_raises_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    centre = unaudited("anna", "boris")
    centre.take(only(centre.call("one"), Offer).offer)
    agents = centre.engine.floor.agents
    busy = next(agent for agent in agents.values() if agent.talks)

    def choose_the_busy(self: Pool, *_: object) -> Agent:
        return busy

    monkeypatch.setattr(Pool, "choose", choose_the_busy)
    monkeypatch.setattr(Pool, "contenders", lambda self, *_: ())
    alarm = of(quiet(centre, CallJoined("two", ("q",))), Alarm)[0]
    assert (alarm.rule, alarm.detail) == ("one offer", f"{busy.name} is busy and was given two")


def test_a_shadow_may_prefer_another_caller_for_a_free_agent() -> None:
    """By service level the later caller, of the queue with the short target, comes first."""
    centre = Centre(
        settings(
            {
                "slow": queue("anna", target=200.0, shadow="service-level"),
                "fast": queue("anna", target=5.0, shadow="service-level"),
            }
        )
    )
    busy = only(centre.call("busy", "slow"), Offer)
    centre.take(busy.offer)
    centre.call("early", "slow")
    centre.wait(10)
    centre.call("late", "fast")
    centre.wait(20)
    said = centre.hang_up(busy)
    assert only(said, Offer).call == "early"
    assert only(said, ShadowDiffered).call == "late"


def test_old_offers_are_explained_from_the_journal() -> None:
    """The engine remembers a few thousand decisions; the journal remembers all of them."""
    given = settings({"q": queue("anna", "boris")}, agents={"anna": AgentSettings(wrap_up=5)})
    centre = Centre(given, login=False)
    snapshot = centre.engine.snapshot()
    centre = Centre(given)
    for n in range(5):
        centre.serve(f"call{n}")
    centre.call("last")
    records = [encode(event, at) for event, at in centre.events]
    centre.engine.floor.decisions.clear()
    assert centre.engine.explain_offer(3) is None
    [found] = explain_call(snapshot, records, "call2", centre.now)
    assert found["offer"] == 3
    assert found["candidates"][found["agent"]] == "chosen"
    assert explain_call(snapshot, records, "call2", found["at"] - 1.0) == []
    assert explain_call(snapshot, records, "nobody", centre.now) == []


def test_agents_whose_history_is_too_short_are_not_said_to_have_been_offline() -> None:
    centre = Centre(settings({"q": queue("anna", "boris")}))
    offer = only(centre.call("one"), Offer)
    rival = "boris" if offer.agent == "anna" else "anna"
    assert centre.engine.explain_offer(offer.offer) is not None
    for _ in range(HISTORY):
        centre.tell(AgentPaused(rival, "tea"), AgentResumed(rival))
    assert centre.engine.explain_offer(offer.offer) is None


def test_after_a_restart_agents_are_known_as_they_were() -> None:
    centre = Centre(settings({"q": queue("anna", "boris")}))
    centre.tell(AgentPaused("boris", "tea"))
    engine = Engine.restore(centre.engine.snapshot())
    offer = only(engine.handle(CallJoined("one", ("q",)), centre.now + 1), Offer)
    told = engine.explain_offer(offer.offer)
    assert told is not None
    assert told["candidates"] == {"anna": "chosen", "boris": "paused (tea)"}
