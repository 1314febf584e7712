"""pyVoIP: the clumsy phone, in a process of its own since its threads outlive `stop()`."""

import sys
from pathlib import Path

from tests.interop.phones.account import Account
from tests.interop.ports import free_ports
from tests.interop.process import PATIENCE, Scripted


class PyVoip(Scripted):
    """Answers every call, sends a tone and keeps what it hears; UDP only.

    Events: registered, incoming, answered, heard (with `path`), ended.
    """

    def __init__(self, account: Account, folder: Path, *, tone: int = 660) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.account, self.folder = account, folder
        rtp = free_ports(8)
        words = [account.host, account.port, account.user, account.password]
        command = [sys.executable, "-m", "tests.interop.phones.pyvoip_child", *map(str, words)]
        super().__init__(
            [*command, str(free_ports()), str(rtp), str(rtp + 8), str(tone), str(folder)],
            folder / "log",
        )

    def registered(self, timeout: float = PATIENCE) -> None:
        self.wait_for("registered", timeout)

    def dial(self, user: str) -> None:
        self.tell("dial", user=user)

    def established(self, timeout: float = PATIENCE) -> None:
        self.wait_for("answered", timeout)

    def hangup(self) -> None:
        self.tell("hangup")

    def heard(self, timeout: float = PATIENCE) -> Path:
        """Recording of the call that is over."""
        return Path(self.wait_for("heard", timeout)["path"])
