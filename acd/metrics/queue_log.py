"""Asterisk's `queue_log`: written for tools that read it, read for figures of a former switch.

A line is `epoch|call|queue|agent|EVENT|…`.  Reading gives the engine's own actions, so every figure
of this laboratory exists for a log of Asterisk too; waits are whole seconds there, wrap-up is not
logged, and pauses of single queues count as pauses.  Words that mean nothing here are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

from acd.actions import Action, AgentChanged, Joined, Left, OfferEnded, TalkEnded
from acd.metrics.logbook import Logbook
from acd.types import (
    REFUSALS,
    AcdError,
    CallId,
    Instant,
    OfferOutcome,
    Seconds,
    State,
    VisitOutcome,
)

NONE = "NONE"
CANCELED = frozenset(
    {OfferOutcome.CANCELLED_BY_CALLER, OfferOutcome.LOST_RACE, OfferOutcome.WITHDRAWN}
)


class QueueLogError(AcdError):
    """The *file* is no queue_log; the text says which line."""


# --- writing ---------------------------------------------------------------------------------


class _Visit(NamedTuple):
    position: int
    waited: Seconds


class Writer:
    """Lines of a queue_log, as actions come; `epoch` is the wall clock's time at instant 0."""

    def __init__(self, epoch: float = 0.0) -> None:
        self.epoch = epoch
        self._lines: dict[str, list[CallId]] = {}
        self._entered: dict[tuple[CallId, str], int] = {}
        self._rang: dict[CallId, Seconds] = {}
        self._talking: dict[tuple[CallId, str], _Visit] = {}
        self._states: dict[str, State] = {}

    def take(self, actions: Iterable[Action], now: Instant) -> Iterator[str]:
        """The lines for what was said at `now`, without their ends."""
        stamp = int(self.epoch + now)
        for action in actions:
            row = self._row(action)
            if row:
                yield "|".join([str(stamp), *(str(cell).replace("|", "_") for cell in row)])

    def _row(self, action: Action) -> list[object] | None:
        match action:
            case Joined(call, queue, position):
                self._lines.setdefault(queue, []).insert(position - 1, call)
                self._entered[call, queue] = position
                return [call, queue, NONE, "ENTERQUEUE", "", "", position]
            case Left():
                return self._left(action)
            case OfferEnded(_, call, queue, agent, outcome, rang):
                self._rang[call] = rang
                if outcome is OfferOutcome.ANSWERED:
                    return None
                word = "RINGCANCELED" if outcome in CANCELED else "RINGNOANSWER"
                return [call, queue, agent, word, round(1000 * rang)]
            case TalkEnded(call, queue, agent):
                visit = self._talking.pop((call, agent), _Visit(1, 0.0))
                word = "COMPLETECALLER" if action.by == "caller" else "COMPLETEAGENT"
                times = [int(visit.waited), int(action.talked), visit.position]
                if action.transferred:
                    return [call, queue, agent, "BLINDTRANSFER", "", "", *times]
                return [call, queue, agent, word, *times]
            case AgentChanged():
                return self._changed(action)
        return None

    def _left(self, action: Left) -> list[object] | None:
        call, queue, waited = action.call, action.queue, int(action.waited)
        if action.outcome in REFUSALS:
            return None  # never in the queue: Asterisk says so to the dial plan, not to the log
        line = self._lines.get(queue, [])
        now = line.index(call) + 1 if call in line else 1
        if call in line:
            line.remove(call)
        entered = self._entered.pop((call, queue), 1)
        match action.outcome:
            case VisitOutcome.ANSWERED:
                self._talking[call, action.agent] = _Visit(entered, action.waited)
                rang = int(self._rang.pop(call, 0.0))
                return [call, queue, action.agent, "CONNECT", waited, call, rang]
            case VisitOutcome.EXIT:
                return [call, queue, NONE, "EXITWITHKEY", "", now, entered, waited]
            case VisitOutcome.TIMED_OUT | VisitOutcome.OVERFLOWED:
                return [call, queue, NONE, "EXITWITHTIMEOUT", now, entered, waited]
            case VisitOutcome.NO_AGENTS:
                return [call, queue, NONE, "EXITEMPTY", now, entered, waited]
            case VisitOutcome.ABANDONED:
                return [call, queue, NONE, "ABANDON", now, entered, waited]
        return [call, queue, NONE, action.outcome.upper().replace("-", ""), now, entered, waited]

    def _changed(self, action: AgentChanged) -> list[object] | None:
        before = self._states.get(action.agent, State.OFFLINE)
        after = self._states[action.agent] = action.state
        word = None
        if after is not before:
            if after is State.OFFLINE:
                word = "AGENTLOGOFF"
            elif after is State.PAUSED:
                word = "PAUSEALL"
            elif before is State.OFFLINE:
                word = "AGENTLOGIN"
            elif before is State.PAUSED:
                word = "UNPAUSEALL"
        return [NONE, NONE, action.agent, word, action.detail] if word else None


# --- reading ---------------------------------------------------------------------------------


class Line(NamedTuple):
    """`data` as it stands; what is missing reads as nothing."""

    call: CallId
    queue: str
    agent: str
    data: list[str]

    def number(self, index: int) -> int:
        return int(self.data[index] or 0) if index < len(self.data) else 0


Reader: TypeAlias = Callable[[Line], list[Action]]


def _enter(line: Line) -> list[Action]:
    return [Joined(line.call, line.queue, line.number(2), 0)]


def _connect(line: Line) -> list[Action]:
    call, queue, agent = line.call, line.queue, line.agent
    answered, waited = OfferOutcome.ANSWERED, float(line.number(0))
    return [
        OfferEnded(0, call, queue, agent, answered, float(line.number(2))),
        AgentChanged(agent, State.TALKING),
        Left(call, queue, VisitOutcome.ANSWERED, waited, agent=agent),
    ]


def _complete(by: str, talked: int, *, transferred: bool = False) -> Reader:
    def read(line: Line) -> list[Action]:
        seconds = float(line.number(talked))
        ended = TalkEnded(line.call, line.queue, line.agent, seconds, 0.0, by, transferred)
        return [ended, AgentChanged(line.agent, State.IDLE)]

    return read


def _leave(outcome: VisitOutcome, waited: int) -> Reader:
    return lambda line: [Left(line.call, line.queue, outcome, float(line.number(waited)))]


def _offer(outcome: OfferOutcome) -> Reader:
    def read(line: Line) -> list[Action]:
        rang = line.number(0) / 1000
        return [OfferEnded(0, line.call, line.queue, line.agent, outcome, rang)]

    return read


def _state(state: State) -> Reader:
    def read(line: Line) -> list[Action]:
        detail = line.data[0] if state is State.PAUSED and line.data else ""
        return [AgentChanged(line.agent, state, detail)]

    return read


READERS: dict[str, Reader] = {
    "ENTERQUEUE": _enter,
    "CONNECT": _connect,
    "COMPLETECALLER": _complete("caller", 1),
    "COMPLETEAGENT": _complete("agent", 1),
    "BLINDTRANSFER": _complete("agent", 3, transferred=True),
    "ATTENDEDTRANSFER": _complete("agent", 3, transferred=True),
    "TRANSFER": _complete("agent", 3, transferred=True),
    "ABANDON": _leave(VisitOutcome.ABANDONED, 2),
    "EXITWITHKEY": _leave(VisitOutcome.EXIT, 3),
    "EXITWITHTIMEOUT": _leave(VisitOutcome.TIMED_OUT, 2),
    "EXITEMPTY": _leave(VisitOutcome.NO_AGENTS, 2),
    "CALLBACK": _leave(VisitOutcome.CALLBACK, 2),
    "WITHDRAWN": _leave(VisitOutcome.WITHDRAWN, 2),
    "RINGNOANSWER": _offer(OfferOutcome.NO_ANSWER),
    "RINGCANCELED": _offer(OfferOutcome.CANCELLED_BY_CALLER),
    "AGENTLOGIN": _state(State.IDLE),
    "AGENTCALLBACKLOGIN": _state(State.IDLE),
    "ADDMEMBER": _state(State.IDLE),
    "AGENTLOGOFF": _state(State.OFFLINE),
    "AGENTCALLBACKLOGOFF": _state(State.OFFLINE),
    "REMOVEMEMBER": _state(State.OFFLINE),
    "PAUSE": _state(State.PAUSED),
    "PAUSEALL": _state(State.PAUSED),
    "UNPAUSE": _state(State.IDLE),
    "UNPAUSEALL": _state(State.IDLE),
}


def read(lines: Iterable[str]) -> Iterator[tuple[Instant, list[Action]]]:
    """What the lines say, as actions at seconds since 1970; `QueueLogError` names a bad line."""
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            stamp, call, queue, agent, word, *data = text.rstrip("\r\n").split("|")
            reader = READERS.get(word)
            yield float(stamp), reader(Line(call, queue, agent, data)) if reader else []
        except ValueError:
            raise QueueLogError(f"line {number}: no line of a queue_log: {text[:80]!r}") from None


def load(lines: Iterable[str]) -> Logbook:
    """A log of Asterisk as a logbook, ready for every figure."""
    log = Logbook()
    for now, actions in read(lines):
        log.take(actions, now)
    return log
