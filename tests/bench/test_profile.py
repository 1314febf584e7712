"""What is made of py-spy's stacks."""

from collections import Counter

from bench.profile import shares

STACKS = """\
run (x/asyncio/runners.py:1);receive (x/softswitch/transport/driver.py:9);parse (x/softswitch/sip/parser.py:5) 6
run (x/asyncio/runners.py:1);append (x/softswitch/store/journal.py:9);encode (lib/json/encoder.py:5) 3
run (x/asyncio/runners.py:1) 1
_bootstrap (lib/threading.py:1);_worker (lib/concurrent/futures/thread.py:7) 90
"""  # noqa: E501


def test_time_is_given_to_the_innermost_room_of_ours() -> None:
    rooms, functions = shares(STACKS)

    assert rooms == Counter(
        {"softswitch/sip": 6, "softswitch/store": 3, "the loop and libraries": 1}
    )
    assert functions["parse (sip/parser.py)"] == 6


def test_threads_that_wait_do_not_count() -> None:
    rooms, _ = shares(STACKS)

    assert rooms.total() == 10
