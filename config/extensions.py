"""`[extensions.NUMBER]`: a person's number, the phones that may register for it, what it may do."""

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from config.addresses import Network
from config.base import Name, Names, Number, Positive, Seconds, Table, matching
from config.media import Codec, Dtmf, Srtp
from config.passwords import Secret, is_placeholder
from config.switch import Language
from config.targets import Targets


class Forward(Table):
    """`[extensions.NUMBER.forward]`: where calls go instead; `*72` and `*73` change it by phone."""

    always: Targets = ()
    busy: Targets = ()
    no_answer: Targets = ()
    unregistered: Targets = ()
    """Taken when no phone is registered; absent: as `no_answer`."""


class FollowMe(Table):
    """`[extensions.NUMBER.follow_me]`: other phones of the same person, rung beside or after."""

    targets: Targets
    after: Annotated[Seconds, Field(ge=0)] = 10.0
    """How long the extension rings alone."""
    ring_time: Positive = 25.0
    confirm: bool = True
    """An answer counts when `1` is pressed, so that a mobile's voicemail never takes the call."""


class Extension(Table):
    """`[extensions.NUMBER]`"""

    name: Annotated[
        str, matching(r"[^\x00-\x1f\x7f]{0,80}", "a name: up to 80 characters on one line")
    ] = ""
    """Shown to those who are called."""
    password: Secret | None = None
    """Digest password: "…", "${NAME}" or {file = "path"}.  "change-me" works on loopback only."""
    ha1: Secret | None = None
    """MD5 of `number:domain:password`, in hexadecimal, instead of the password."""
    ha1_sha256: Secret | None = None
    """SHA-256 of the same, needed where `digest` offers SHA-256 and no password is written."""
    digest: Literal["md5", "sha-256", "both"] | None = None
    """Algorithms offered to this extension; absent: those of `[sip]`."""
    class_: Name | None = Field(None, alias="class")
    """Class of service: what may be dialled, through which trunks; absent: internal calls only."""
    trunks: Names | None = None
    """Trunks it may seize, in order; absent: those of its class."""
    voicemail: bool = False
    """Whether it has a box; `[boxes.NUMBER]` may say more about it."""
    email: str | None = None
    """Where voicemail is sent, and reports."""
    pin: Secret | None = None
    """Opens the voicemail box and barred destinations from a phone; 4 to 8 digits."""
    language: Language | None = None
    ring_time: Positive = 30.0
    """How long it rings before `no_answer` is taken."""
    forward: Forward = Forward()
    follow_me: FollowMe | None = None
    devices: Annotated[int, Field(ge=1, le=50)] = 5
    """Phones that may register at once; one more replaces the oldest."""
    max_calls: Annotated[int, Field(ge=1)] = 4
    """Calls it may be in at once, both ways; one more coming in finds it busy."""
    second_call: Literal["ring", "busy"] = "ring"
    """What a caller meets when a call is in progress."""
    pickup: Names = ()
    """Pickup groups it belongs to (`*8`)."""
    caller_id: Number | None = None
    """Number shown outside; absent: the line's or the trunk's."""
    hide_caller_id: bool = False
    codecs: tuple[Codec, ...] | None = None
    srtp: Srtp = Srtp.OFF
    dtmf: Dtmf = Dtmf.AUTO
    music: Name | None = None
    """What those hear whom it puts on hold."""
    record: Literal["never", "always", "incoming", "outgoing", "demand"] = "demand"
    """`demand`: by `*1`."""
    allow: tuple[Network, ...] = ()
    """Networks it may register from; absent: any."""
    site: Name | None = None
    """Where it stands, for emergency calls."""
    auto_answer: bool = True
    """Whether intercom and paging may open its loudspeaker."""

    @property
    def is_placeholder(self) -> bool:
        """Whether its password is an example's, to be accepted from the loopback alone."""
        return is_placeholder(self.password)

    @property
    def forward_unregistered(self) -> Targets:
        return self.forward.unregistered or self.forward.no_answer

    @model_validator(mode="after")
    def _one_way_to_prove(self) -> Self:
        if self.password is not None and self.ha1 is not None:
            raise ValueError("password and ha1 are both given; keep one")
        if self.pin is not None and not _is_pin(self.pin):
            raise ValueError('pin must be 4 to 8 digits, such as pin = "4711"')
        for ha1, length in ((self.ha1, 32), (self.ha1_sha256, 64)):
            if ha1 is not None and not _is_hex(ha1.get_secret_value(), length):
                raise ValueError(
                    f"a ha1 is {length} hexadecimal digits of `number:domain:password`"
                )
        return self


def _is_pin(pin: SecretStr) -> bool:
    text = pin.get_secret_value()
    return text.isdecimal() and 4 <= len(text) <= 8


def _is_hex(text: str, length: int) -> bool:
    return len(text) == length and all(c in "0123456789abcdefABCDEF" for c in text)
