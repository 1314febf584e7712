"""`[conferences.NAME]`: rooms where everybody hears everybody else."""

from typing import Annotated, Literal

from pydantic import Field

from config.base import Name, Names, Number, Table, Words
from config.passwords import Secret


class Conference(Table):
    """`[conferences.NAME]`"""

    number: Number | None = None
    name: Words = ""
    pin: Secret | None = None
    """Asked for before entering; absent: nobody is asked."""
    moderator_pin: Secret | None = None
    """Enters as moderator: mute, kick and lock by DTMF."""
    moderators: Names = ()
    """Extensions that enter as moderators."""
    max_members: Annotated[int, Field(ge=2)] = 32
    tones: bool = True
    """A tone when somebody joins or leaves."""
    names: bool = False
    """Members say their name, which is played when they join and leave."""
    wait_for_moderator: bool = False
    """Music until the first moderator enters."""
    end_with_moderator: bool = False
    muted: bool = False
    """Everybody but moderators enters muted."""
    record: bool = False
    rate: Literal["auto", 8000, 16000, 48000] = "auto"
    """Sampling rate of the mixture."""
    loudest: Annotated[int, Field(ge=1)] | None = None
    """Mix only so many who speak; absent: all."""
    music: Name | None = None
    """What one who is alone hears."""
    pin_tries: Annotated[int, Field(ge=1, le=10)] = 3
