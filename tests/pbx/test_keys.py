"""What keys mean in a menu, decided as early as can be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.targets import Target
from softswitch.pbx.keys import Book, Choice, Meaning, Unclear, understand

SALES, OFFICE = (Target.parse("queue:sales"),), (Target.parse("group:office"),)
FRONT, BOSS = Target.parse("extension:101"), Target.parse("extension:10155")
BOOK = Book({"1": SALES, "2": OFFICE}, {"101": FRONT, "10155": BOSS})


@pytest.mark.parametrize(
    ("typed", "finished", "meaning"),
    [
        ("2", False, Choice(OFFICE)),
        ("1", False, Unclear.UNFINISHED),  # 101 may come of it
        ("1", True, Choice(SALES)),
        ("10", True, Unclear.MEANINGLESS),  # half a number is not key 1 with 0 typed ahead
        ("101", False, Unclear.UNFINISHED),
        ("101", True, Choice((FRONT,))),
        ("10155", False, Choice((BOSS,))),
        ("12", False, Choice(SALES, "2")),  # no number begins so: 2 was typed ahead
        ("7", False, Unclear.MEANINGLESS),
    ],
)
def test_keys_are_understood(typed: str, finished: bool, meaning: Meaning) -> None:
    assert understand(typed, BOOK, finished=finished) == meaning


@given(
    keys=st.sets(st.sampled_from("0123456789*#")),
    numbers=st.sets(st.text("0123456789", min_size=1, max_size=4)),
    number=st.data(),
)
def test_whatever_the_keys_every_number_can_be_dialled(
    keys: set[str], numbers: set[str], number: st.DataObject
) -> None:
    """Typed key by key it is never taken for anything else before it is whole."""
    book = Book(dict.fromkeys(keys, SALES), {each: Target.parse("queue:q") for each in numbers})
    if not numbers:
        return
    wanted = number.draw(st.sampled_from(sorted(numbers)))
    for length in range(1, len(wanted)):
        assert understand(wanted[:length], book, finished=False) is Unclear.UNFINISHED
    assert understand(wanted, book, finished=True) == Choice((book.numbers[wanted],))
