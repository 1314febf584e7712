"""What is said for what the engine announces, and to the agent before the caller comes."""

from __future__ import annotations

from math import ceil

from acd.actions import Announce
from acd.types import Seconds
from config.queues import Queue
from media.items import Item
from softswitch.pbx.voice import Voice

MINUTE: Seconds = 60.0
NAME_AND_WAIT = "name-and-wait"
"""The whisper that says the queue and the waited time."""


def announcement(voice: Voice, queue: Queue, action: Announce) -> list[str | Item]:
    """Prompts for one line of the schedule; none where there is nothing to tell."""
    if action.what == "position":
        return _position(voice, action)
    if action.what == "wait":
        limit = queue.announce.wait_limit if queue.announce else 0.0
        return [] if action.value is None else _wait(voice, action.value, limit)
    return [action.what]


def _position(voice: Voice, action: Announce) -> list[str | Item]:
    """A place that has become worse is not told; the call's record says why it did."""
    if action.because or action.value is None:
        return ["queue-thanks"]
    if action.value == 1:
        return ["queue-next"]
    return ["queue-position", voice.value("number", str(int(action.value)))]


def _wait(voice: Voice, expected: Seconds, limit: Seconds) -> list[str | Item]:
    if expected > limit:
        return ["queue-wait-long"]
    if expected < MINUTE:
        return ["queue-wait-less-than-minute"]
    return ["queue-wait", voice.value("minute", str(ceil(expected / MINUTE)))]


def whisper(voice: Voice, name: str, queue: Queue, waited: Seconds) -> list[str | Item]:
    """What the agent hears before being joined; nothing where nothing is set.

    The queue is named by the prompt `queue-NAME` where there is one in `[prompts]`.
    """
    if queue.whisper is None:
        return []
    if queue.whisper != NAME_AND_WAIT:
        return [queue.whisper]
    time = voice.value("duration", str(round(waited)))
    return ["queue-call-from", f"queue-{name}", time]
