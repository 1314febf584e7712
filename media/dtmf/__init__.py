"""DTMF in and out: telephone events (RFC 4733) and tones in the sound (ITU-T Q.23, Q.24)."""

from media.dtmf.inband import InbandDetector
from media.dtmf.receiver import EventReceiver
from media.dtmf.sender import EventSender

__all__ = ["EventReceiver", "EventSender", "InbandDetector"]
