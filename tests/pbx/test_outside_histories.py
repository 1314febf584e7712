"""Any history of calls out and in, beside all that people do inside: no channel stays in use."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.pbx.test_histories import ANY, OFFICE, PHONES, History
from tests.pbx.world import CITY, COAST, World

OUTSIDE = f"""
{OFFICE}
class = "staff"
pin = "4711"
[switch]
country = "RU"
[trunks.city]
server = "sip:{CITY}:5060"
channels = 1
[trunks.coast]
server = "sip:{COAST}:5060"
channels = 2
[sites.coast]
prefix = "3"
digits = 4
trunk = "coast"
fallback = "extension:101"
[destinations]
local = "8495"
mobile = "89"
[classes.staff]
dial = ["internal", "local"]
trunks = ["city", "coast"]
override = "mobile"
balance = "even"
expensive = "local"
expensive_daily = 5
[extensions.101]
class = "staff"
pin = "4711"
[modes.night]
code = "*92"
[lines."74951234567"]
class = "staff"
night = "extension:101"
any = ["group:office", "number:84951112233"]
channels = 2
full = "number:3105"
greeting = "welcome-office"
[[rules]]
name = "inside"
caller = "10?"
called = "89161112233"
inside = true
to = ["number:84951234567", "extension:102"]
"""
DIALLED = [
    "84951112233",
    "89161112233",
    "84951234567",
    "3105",
    "112",
    "*66102",
    "*66",
    "*67",
    "*92",
    "*90",
]
LINES = ["74951234567", "+74951234567", "101", "3105", "555"]


class OutsideHistory(History):
    """Four phones, the city, and another office at the coast."""

    async def _open(self) -> None:
        self.world = World(OUTSIDE)
        self._phones = await self.world.phones("101", "102", "103", "104")
        self._far = [self.world.outside(CITY, "79161112233"), self.world.outside(COAST, "3105")]
        self._phones += self._far  # they answer, hang up and press keys as all others do

    @rule(who=PHONES, number=st.sampled_from(DIALLED))
    def dial_out(self, who: int, number: str) -> None:
        async def work() -> None:
            self._phones[who].dial(number)

        self._do(work())

    @rule(who=st.integers(0, 1), number=st.sampled_from(LINES))
    def call_in(self, who: int, number: str) -> None:
        async def work() -> None:
            self._far[who].dial(number)

        self._do(work())

    @rule(which=ANY, keys=st.sampled_from(["1", "4711#", "0000#", "2"]))
    def choose(self, which: int, keys: str) -> None:
        async def work() -> None:
            for talk in self._up()[which % 3 :][:1]:
                talk.press(keys)

        self._do(work())

    async def _close(self) -> None:
        await super()._close()
        trunks = self.world.switch.trunks
        assert {carrier.name: carrier.used for carrier in trunks} == {"city": 0, "coast": 0}
        assert not trunks._outgoing


TestOutsideHistory = OutsideHistory.TestCase
TestOutsideHistory.settings = settings(
    max_examples=30,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
