"""Drivers of phones that we did not write: each a real program in a process of its own."""

from tests.interop.phones.account import Account
from tests.interop.phones.baresip import Baresip
from tests.interop.phones.linphone import Linphone
from tests.interop.phones.pjsua import Pjsua
from tests.interop.phones.pyvoip import PyVoip
from tests.interop.phones.sipp import Sipp, SippRun

__all__ = ["Account", "Baresip", "Linphone", "Pjsua", "PyVoip", "Sipp", "SippRun"]
