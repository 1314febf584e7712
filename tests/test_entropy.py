"""Randomness taken in blocks is as good as that taken alone."""

from softswitch.entropy import Entropy


def test_draws_do_not_overlap_and_do_not_come_again() -> None:
    entropy = Entropy()
    drawn = [entropy.token(8) for _ in range(2000)]  # several blocks
    assert len(set(drawn)) == len(drawn)
    assert {len(each) for each in drawn} == {16}


def test_draws_have_the_width_that_was_asked_for() -> None:
    entropy = Entropy()
    for width in (1, 7, 8, 31, 64, 128):
        drawn = [entropy.getrandbits(width) for _ in range(200)]
        assert min(drawn) >= 0 and max(drawn) < 2**width
        assert max(drawn).bit_length() > width - 12
    assert all(0.0 <= entropy.random() < 1.0 for _ in range(100))
    assert {entropy.randrange(1, 4) for _ in range(200)} == {1, 2, 3}


def test_seeding_has_no_effect() -> None:
    one, other = Entropy(), Entropy()
    one.seed(1)
    other.seed(1)
    assert one.token(16) != other.token(16)
