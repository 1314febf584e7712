"""Queues and agents of the settings file mean to the engine what they say."""

from typing import Any

import pytest

from acd import settings as acd
from acd.engine import Engine
from acd.settings import Staffing, problems
from acd.strategies import strategies
from acd.types import OfferOutcome
from config.agents import Agent
from config.queues import Queue
from config.settings import Settings
from config.targets import Target
from softswitch.pbx.acd_settings import STRICT, settings_of, target_text, targets_of

AGENTS = {
    "anna": {"extension": "101", "skills": {"sales": 8}},
    "boris": {"number": "+79161234567", "max_calls": 2, "wrap_up": 5, "performance": 0.4},
    "clara": {"trainee": True, "cost": 0.5, "skills": {"on-call": 3}},
}

CARRIERS_QUEUE = {
    "number", "name", "open", "exit_keys", "music", "greeting", "whisper", "record",
    "record_notice", "language", "alarms",
}  # fmt: skip
CARRIERS_AGENT = {"class_", "name", "extension", "code", "pin", "logged_in", "record"}


def engine_settings(**queue: Any) -> acd.Settings:
    return settings_of(
        Settings.model_validate(
            {"agents": AGENTS, "queues": {"q": {"agents": ["anna", "boris"], **queue}, "b": {}}}
        )
    )


def queue_of(**given: Any) -> acd.QueueSettings:
    return engine_settings(**given).queues["q"]


def test_the_engine_takes_what_comes_out() -> None:
    found = engine_settings(
        tiers=[{"agents": ["clara"], "after": 20}],
        skills={"on-call": 2},
        relax=[{"after": 30, "requires": "sales"}],
        overflow={"to": ["queue:b", "voicemail:q"], "length": 5},
    )
    assert list(problems(found, set(strategies()))) == []
    Engine(found)


@pytest.mark.parametrize(
    ("given", "field", "expected"),
    [
        ({"strategy": "fair"}, "strategy", "fair"),
        ({"shadow": "random"}, "shadow", "random"),
        ({"priority": 3}, "priority", 3),
        ({}, "ageing", STRICT),
        ({"ageing": {"every": 60, "step": 2}}, "ageing", 30.0),
        ({"skills": {"sales": 3}}, "skills", "sales >= 3"),
        ({"skills": {"on-call": 3}}, "skills", '"on-call" >= 3'),
        ({"requires": "sales > 5"}, "skills", "sales > 5"),
        (
            {"skills": {"sales": 3}, "requires": "vip or old"},
            "skills",
            "(sales >= 3) and (vip or old)",
        ),
        ({"reserve": 2}, "reserve", 2),
        ({"reserve": 2}, "reserve_priority", 1),
        ({"ring_time": 15}, "ring_time", 15),
        ({"lease": 40}, "connect_time", 40),
        ({"wrap_up": 12}, "wrap_up", 12),
        ({"sticky": {"wait": 25}}, "sticky", 25),
        ({}, "max_hold", None),
        ({"forgotten": {"after": 90}}, "max_hold", 90),
        ({"forgotten": {"grace": 5}}, "hold_grace", 5),
        ({"forgotten": {"then": "return"}}, "hold_recall", False),
        ({"also": ["b"]}, "also", ("b",)),
        ({"hold": False}, "hold", False),
        ({"max_length": 9}, "max_length", 9),
        ({"max_wait": 90}, "max_wait", 90),
        ({"join": "free"}, "join_when", Staffing.FREE),
        ({"stay": "logged-in"}, "stay_when", Staffing.LOGGED_IN),
        ({"overflow": {"to": "voicemail:q"}}, "next", "voicemail:q"),
        ({"overflow": {"to": "voicemail:q"}}, "overflow", ()),
        (
            {"overflow": {"to": ["queue:b", "voicemail:q"], "length": 5, "predicted": 60}},
            "overflow",
            (acd.Overflow("queue:b,voicemail:q", length=5, expected=60),),
        ),
        ({"empty": "hangup:busy"}, "empty", "hangup:busy"),
        ({"closed": "play:closed"}, "closed", "play:closed"),
        ({"cost_per_minute": 3.5}, "hold_cost", 3.5),
        ({"max_cost": 10}, "hold_cost_cap", 10),
        ({"keep_place": 120}, "keep_place", 120),
        ({"fairness": 60}, "fairness", 60),
        ({"step": 7}, "ring_step", 7),
        ({"cost": 2}, "cost", 2),
        ({"service_level": {"seconds": 30, "share": 0.9}}, "target", 30),
        ({"service_level": {"seconds": 30, "share": 0.9}}, "goal", 0.9),
        ({"short_abandon": 6}, "short_abandon", 6),
        (
            {"announce": {"first": 10, "every": 0, "wait": False}},
            "announcements",
            (acd.Announcement(("position",), 10, None),),
        ),
        (
            {"periodic": [{"prompts": ["a", "b"], "first": 20, "every": 40}]},
            "announcements",
            (acd.Announcement(("a", "b"), 20, 40),),
        ),
        (
            {
                "callback": {
                    "retries": 1,
                    "retry_every": 60,
                    "deadline": 900,
                    "mode": "customer-first",
                }
            },
            "callback",
            acd.CallbackSettings(
                acd.Callback.CUSTOMER_FIRST,
                attempts=2,
                retry=60,
                deadline=900,
                lead=20,
                ring_time=45,
            ),
        ),
    ],
)
def test_every_setting_of_a_queue_reaches_the_engine(
    given: dict[str, Any], field: str, expected: object
) -> None:
    assert getattr(queue_of(**given), field) == expected


def test_tiers_open_by_waiting_time_and_requirements_relax() -> None:
    found = queue_of(
        agents=["anna"],
        tiers=[{"agents": ["clara", "anna"], "after": 40}, {"agents": ["boris"], "after": 20}],
        relax=[{"after": 30}],
        strategy="weighted",
        weights={"boris": 2},
    )
    assert found.members == (
        acd.Member("anna", 1),
        acd.Member("clara", 3),
        acd.Member("boris", 2, 2.0),
    )
    assert found.steps == (
        acd.Step(0.0, tier=1),
        acd.Step(20.0, tier=2),
        acd.Step(40.0, tier=3),
        acd.Step(30.0, skills=""),
    )


def test_each_way_of_not_taking_a_call_has_its_own_back_off() -> None:
    backs = {"back_off": 1, "reject_back_off": 2, "busy_back_off": 3, "unreachable_back_off": 4}
    found = queue_of(no_answer={**backs, "pause_after": 5, "window": 6})
    rests = {name: policy.rest for name, policy in found.misses.items() if policy.rest}
    assert rests == {
        OfferOutcome.NO_ANSWER: 1,
        OfferOutcome.REJECTED: 2,
        OfferOutcome.BUSY: 3,
        OfferOutcome.UNREACHABLE: 4,
    }
    missed = found.misses[OfferOutcome.NO_ANSWER]
    assert (missed.pause_after, missed.window) == (5, 6)


def test_agents_are_taken_over() -> None:
    agents = engine_settings().agents
    assert agents["anna"] == acd.AgentSettings(skills={"sales": 8})
    assert agents["boris"] == acd.AgentSettings(
        capacity=2, wrap_up=5, external="+79161234567", performance=0.4
    )
    assert agents["clara"] == acd.AgentSettings(skills={"on-call": 3}, cost=0.5, trainee=True)


def test_the_longest_window_counts() -> None:
    assert engine_settings(window=7200).window == 7200


def test_targets_come_back_as_they_were_written() -> None:
    written = (Target.parse("queue:b"), Target.parse("hangup:busy"))
    assert targets_of(target_text(written)) == written
    assert targets_of("") == ()


def test_no_key_of_a_table_is_forgotten() -> None:
    """A new key must be mapped, with a row above, or be named as the carrier's."""
    mapped = {
        "strategy", "agents", "tiers", "skills", "requires", "relax", "weights", "sticky",
        "priority", "ageing", "reserve", "reserve_priority", "ring_time", "no_answer", "lease",
        "wrap_up", "window", "fairness", "cost", "step", "max_length", "max_wait", "max_cost",
        "cost_per_minute", "overflow", "join", "stay", "empty", "hold", "closed", "keep_place",
        "announce", "periodic", "playlist", "playlist_every", "callback", "service_level",
        "short_abandon", "shadow", "also", "forgotten",
    }  # fmt: skip
    assert set(Queue.model_fields) == mapped | CARRIERS_QUEUE
    assert set(Agent.model_fields) == CARRIERS_AGENT | {
        "skills", "max_calls", "wrap_up", "number", "performance", "cost", "trainee",
    }  # fmt: skip
