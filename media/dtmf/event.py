"""The payload of a telephone event.

 0                   1                   2                   3
 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|     event     |E|R| volume    |          duration             |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
                                                 (RFC 4733 §2.3)
"""

from typing import Final

KEYS: Final = "0123456789*#ABCD!"
"""Keys by event code (RFC 4733 §3.2); 16 is the hook flash, written "!"."""
END: Final = 0x80
LONGEST: Final = 0xFFFF
"""Ticks of one segment; what lasts longer goes on in another (§2.5.1.3)."""
