"""baresip 1.0: the real phone.  Sends a tone, records what it hears, tells everything it does."""

import json
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

from tests.interop.phones.account import Account
from tests.interop.ports import free_ports
from tests.interop.process import PATIENCE, Child, Event, Events, peer

MODULES = Path("/usr/lib/baresip/modules")
CONFIG = """
sip_listen              {listen}
net_interface           {address}
audio_source            ausine,{tone}
ausrc_srate             48000
ausrc_channels          2
audio_player            aubridge,nil
audio_alert             aubridge,nil
jitter_buffer_delay     2-10
rtp_timeout             {rtp_timeout}
statmode_default        off
module_path             {modules}
module                  g711.so
module                  g722.so
module                  opus.so
module                  ausine.so
module                  aufile.so
module                  aubridge.so
module                  sndfile.so
module                  srtp.so
module_tmp              uuid.so
module_tmp              account.so
module_app              menu.so
module_app              ctrl_tcp.so
ctrl_tcp_listen         127.0.0.1:{control}
snd_path                {folder}
{extra}
"""


class Baresip(Child):
    """One phone with one account.

    `tone` is the frequency it sends, in Hz; `options` are added to its account
    (`answermode=auto`, `audio_codecs=PCMA`, `mediaenc=srtp-mand`), `extra` to its configuration.
    One that does not register stands for a provider: it is called where it listens.
    """

    def __init__(
        self,
        account: Account,
        folder: Path,
        *,
        tone: int = 440,
        options: str = "answermode=auto;audio_codecs=PCMA",
        rtp_timeout: int = 0,
        extra: str = "",
        registers: bool = True,
    ) -> None:
        program = peer("baresip")
        folder.mkdir(parents=True, exist_ok=True)
        self.account, self.folder = account, folder
        self.address = "::1" if ":" in account.host else "127.0.0.1"
        self.port = free_ports(3, self.address)
        control = free_ports()
        listen = f"[::1]:{self.port}" if ":" in account.host else f"127.0.0.1:{self.port}"
        text = CONFIG.format(
            listen=listen,
            address=self.address,
            tone=tone,
            rtp_timeout=rtp_timeout,
            modules=MODULES,
            control=control,
            folder=folder,
            extra=extra,
        )
        (folder / "config").write_text(text)
        (folder / "contacts").touch()
        (folder / "accounts").write_text(self._account_line(options, 60 if registers else 0))
        super().__init__([program, "-f", folder], folder / "log")
        self.events = Events()
        self._control = self._connect(control)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _account_line(self, options: str, expires: int) -> str:
        account = self.account
        where = f"sip:{account.user}@{account.server};transport={account.transport}"
        login = f"auth_user={account.user};auth_pass={account.password}"
        return f"<{where}>;{login};regint={expires};{options}\n"

    def _connect(self, port: int) -> socket.socket:
        connected: list[socket.socket] = []

        def listens() -> bool:
            try:
                connected.append(socket.create_connection(("127.0.0.1", port), timeout=1))
            except OSError:
                return False
            return True

        self.until(listens, f"control socket of baresip {self.account.user}")
        connected[0].settimeout(None)
        return connected[0]

    # ── What it is told ──────────────────────────────────────────────────────────────────────

    def command(self, text: str) -> Event:
        """One command as on its own keyboard: `dial sip:…`, `hold`; its answer."""
        name, _, parameters = text.partition(" ")
        token = f"{name}-{time.monotonic_ns()}"
        body = json.dumps({"command": name, "params": parameters, "token": token}).encode()
        self._control.sendall(b"%d:%s," % (len(body), body))
        return self.events.wait_for(response=True, token=token)

    def dial(self, user: str) -> None:
        """Call `user` at the account's switch, or any `sip:` URI."""
        self.command(f"dial {user if ':' in user else self.account.uri(user)}")

    def accept(self) -> None:
        self.command("accept")

    def hangup(self) -> None:
        self.command("hangup")

    def hold(self) -> None:
        self.command("hold")

    def resume(self) -> None:
        self.command("resume")

    def transfer(self, user: str) -> None:
        """Blind transfer (REFER) of the call."""
        self.command(f"transfer {user if ':' in user else self.account.uri(user)}")

    def press(self, digits: str, pause: float = 0.2) -> None:
        """Press keys one after another (RFC 4733)."""
        for digit in digits:
            self.command(f"sndcode {digit}")
            time.sleep(pause)

    def sing(self, frequency: int) -> None:
        """Send another tone from now on."""
        self.command(f"ausrc ausine,{frequency}")

    # ── What it tells ────────────────────────────────────────────────────────────────────────

    def wait_for(self, kind: str, timeout: float = PATIENCE, **wanted: object) -> Event:
        """The next event of that type: REGISTER_OK, CALL_INCOMING, CALL_ESTABLISHED, …"""
        return self.events.wait_for(timeout, type=kind, **wanted)

    def registered(self, timeout: float = PATIENCE) -> None:
        """Asked for, since the event may come before its control socket is connected."""
        self.until(lambda: "OK " in self.command("reginfo")["data"], "a registration", timeout)

    def established(self, timeout: float = PATIENCE) -> None:
        self.wait_for("CALL_ESTABLISHED", timeout)

    def closed(self, timeout: float = PATIENCE) -> str:
        """The reason that its call ended with."""
        return str(self.wait_for("CALL_CLOSED", timeout).get("param", ""))

    def heard(self) -> list[Path]:
        """Recordings of what it heard, in order; complete once their call is over."""
        return sorted(self.folder.glob("dump-*-dec.wav"))

    def _read(self) -> None:
        """Netstrings of JSON, until the phone goes."""
        rest = b""
        while data := self._receive():
            rest += data
            while b":" in rest:
                length, _, tail = rest.partition(b":")
                if len(tail) <= int(length):
                    break
                self.events.add(json.loads(tail[: int(length)]))
                rest = tail[int(length) + 1 :]

    def _receive(self) -> bytes:
        try:
            return self._control.recv(65536)
        except OSError:
            return b""

    def stop(self) -> int:
        """Two signals: the first makes it unregister and may hang there, the second ends it."""
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(0.5)
        code = super().stop()
        self._reader.join(5)
        self._control.close()
        return code
