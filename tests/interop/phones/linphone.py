"""linphonec: the second stack, driven through its console."""

import subprocess
import time
from pathlib import Path

from tests.interop.phones.account import Account
from tests.interop.ports import free_ports
from tests.interop.process import PATIENCE, Child, peer

RC = """
[sip]
sip_port={port}
sip_tcp_port={port}
sip_tls_port=-1
default_proxy=0
use_ipv6={ipv6}
ipv6_migration_done=1
media_encryption={encryption}
[net]
mtu=1300
[rtp]
audio_rtp_port={rtp}
[proxy_0]
reg_proxy=<sip:{server};transport={transport}>
reg_identity=sip:{user}@{server}
reg_sendregister=1
reg_expires=60
[auth_info_0]
username={user}
passwd={password}
realm={realm}
"""


class Linphone(Child):
    """One phone with one account; files instead of a sound card.

    `realm` must be the one that the switch challenges with.
    """

    def __init__(
        self,
        account: Account,
        folder: Path,
        *,
        realm: str,
        auto_answer: bool = True,
        encryption: str = "none",
    ) -> None:
        program = peer("linphonec")
        home = folder / "home"
        (home / ".local/share/linphone").mkdir(parents=True)  # without it no port is opened
        self.account, self.folder = account, folder
        self.port = free_ports(2)
        text = RC.format(
            port=self.port,
            rtp=free_ports(2),
            server=account.server,
            transport=account.transport,
            user=account.user,
            password=account.password,
            realm=realm,
            encryption=encryption,
            ipv6=int(":" in account.host),
        )
        (folder / "rc").write_text(text)
        command = [program, "-c", str(folder / "rc"), "-d", "6", "-l", str(folder / "debug")]
        super().__init__(
            [*command, *(["-a"] if auto_answer else [])],
            folder / "log",
            env={"HOME": str(home)},
            stdin=subprocess.PIPE,
        )
        self.command("soundcard use files")

    def command(self, text: str) -> None:
        """One line of its console."""
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def registered(self, timeout: float = PATIENCE) -> None:
        self._reaches("LinphoneRegistrationOk", timeout)

    def dial(self, user: str) -> None:
        self.command(f"call {user}")

    def established(self, timeout: float = PATIENCE) -> None:
        self._reaches("LinphoneCallStreamsRunning", timeout)

    def ended(self, timeout: float = PATIENCE) -> None:
        self._reaches("LinphoneCallReleased", timeout)

    def _reaches(self, state: str, timeout: float) -> None:
        """Wait until its own log says that a call or registration entered `state`."""
        debug = self.folder / "debug"
        entered = f"to [{state}]" if "Registration" in state else f"to {state}"
        self.until(
            lambda: debug.exists() and entered in debug.read_text(errors="replace"), state, timeout
        )

    def record(self, name: str = "heard.wav") -> Path:
        """Write what is heard from now on; complete when the call is over."""
        path = self.folder / name
        self.command(f"record {path}")
        return path

    def play(self, path: Path) -> None:
        self.command(f"play {path}")

    def press(self, digits: str) -> None:
        self.command(digits)

    def hangup(self) -> None:
        self.command("terminate")

    def stop(self) -> int:
        """`quit`; it is asked twice, since the first is lost while it unregisters."""
        for _ in range(2):
            if self.process.poll() is None:
                self.command("quit")
                time.sleep(0.2)
        try:
            self.process.wait(self.patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
        return super().stop()
