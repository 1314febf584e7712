"""PJSIP by pjsua2, in a process of its own: 100rel, session timers, MWI, REFER."""

import sys
from pathlib import Path

from tests.interop.phones.account import Account
from tests.interop.ports import free_ports
from tests.interop.process import PATIENCE, Scripted
from tests.interop.sound import write_tone


class Pjsua(Scripted):
    """One phone with one account; answers by itself unless `answer` is another status.

    Events: registered (`status`), incoming (`caller`), state (`state`, `status`, `reason`),
    mwi (`body`), transferred (`status`), sound (`at`: the address that it speaks from).
    `prack` and `timer` are 0 off, 1 if asked, 2 required; `srtp` likewise.
    """

    def __init__(
        self,
        account: Account,
        folder: Path,
        *,
        tone: int = 550,
        answer: int = 200,
        prack: int = 0,
        timer: int = 1,
        srtp: int = 0,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.account, self.folder = account, folder
        sound = write_tone(folder / "tone.wav", tone, 1.0)
        words = [account.server, account.transport, account.user, account.password]
        numbers = [free_ports(2), free_ports(8), answer, prack, timer, srtp]
        super().__init__(
            [sys.executable, "-m", "tests.interop.phones.pjsua_child", *words,
             *map(str, numbers), sound, folder],
            folder / "log",
        )  # fmt: skip

    def registered(self, timeout: float = PATIENCE) -> None:
        self.wait_for("registered", timeout, status=200)

    def dial(self, user: str) -> None:
        self.tell("dial", uri=user if ":" in user else self.account.uri(user))

    def established(self, timeout: float = PATIENCE) -> None:
        self.wait_for("state", timeout, state="CONFIRMED")

    def ended(self, timeout: float = PATIENCE) -> int:
        """The SIP status that the call ended with."""
        return int(self.wait_for("state", timeout, state="DISCONNECTED")["status"])

    def accept(self, status: int = 200) -> None:
        self.tell("answer", status=status)

    def hangup(self) -> None:
        self.tell("hangup")

    def hold(self) -> None:
        self.tell("hold")

    def resume(self) -> None:
        self.tell("resume")

    def press(self, digits: str) -> None:
        self.tell("press", digits=digits)

    def transfer(self, user: str) -> None:
        self.tell("transfer", uri=user if ":" in user else self.account.uri(user))

    def move(self) -> None:
        """As in another network: it registers anew and goes on from another port (re-INVITE)."""
        self.tell("move")

    def join(self) -> None:
        """Attended transfer: the party of the last call but one meets that of the last."""
        self.tell("join")

    def heard(self) -> list[Path]:
        """Recordings of what it heard; complete when the phone was stopped."""
        return sorted(self.folder.glob("heard-*.wav"))
