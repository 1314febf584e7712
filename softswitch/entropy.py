"""The kernel's randomness, fetched a block at a time: one call of the system for many draws.

For tags, branches, call identities and nonces, of which each call takes a dozen.
"""

from __future__ import annotations

import os
from random import Random
from typing import Any, Final

_BLOCK: Final = 4096


class Entropy(Random):
    """As `random.SystemRandom`: cannot be seeded, foretold or repeated.  For one thread."""

    _block = b""
    _at = 0

    def octets(self, count: int) -> bytes:
        """`count` octets, at most 4096, given to nobody before."""
        end = self._at + count
        if end > len(self._block):
            self._block, self._at, end = os.urandom(_BLOCK), 0, count
        taken = self._block[self._at : end]
        self._at = end
        return taken

    def token(self, octets: int) -> str:
        """A name that nobody can guess, in hexadecimal: two digits an octet."""
        return self.octets(octets).hex()

    def getrandbits(self, k: int) -> int:
        size = (k + 7) // 8
        return int.from_bytes(self.octets(size)) >> (8 * size - k)

    def random(self) -> float:
        return self.getrandbits(53) * 2.0**-53

    def seed(self, *_: Any, **__: Any) -> None:
        """Nothing can be made to come again."""


ENTROPY: Final = Entropy()
"""Of the thread of the event loop."""
