"""The process of one pyVoIP phone; see `PyVoip` for what its arguments mean."""

import json
import math
import os
import sys
import threading
import time
import wave
from pathlib import Path
from typing import Any

from pyVoIP.VoIP import CallState, PhoneStatus, VoIPPhone

RATE = 8000
FRAME = 160


def tell(event: str, **fields: Any) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


class Talk:
    """One call: sends the tone, keeps what comes (unsigned 8-bit samples), until it ends."""

    def __init__(self, call: Any, tone: int, folder: Path) -> None:
        self.call, self.tone, self.folder = call, tone, folder
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while self.call.state in (CallState.DIALING, CallState.RINGING):
            time.sleep(0.01)
        if self.call.state is CallState.ANSWERED:
            tell("answered")
            self._keep(self._talk())
        tell("ended")

    def _keep(self, heard: bytes) -> None:
        """Write what was heard as 16-bit samples."""
        samples = ((octet - 128) * 256 for octet in heard)
        path = self.folder / f"heard-{time.monotonic_ns()}.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(b"".join(s.to_bytes(2, "little", signed=True) for s in samples))
        tell("heard", path=str(path))

    def _talk(self) -> bytes:
        heard, position = bytearray(), 0
        while self.call.state is CallState.ANSWERED:
            self.call.write_audio(bytes(self._sample(position + i) for i in range(FRAME)))
            position += FRAME
            heard += self.call.read_audio(FRAME, blocking=True)
        return bytes(heard)

    def _sample(self, position: int) -> int:
        return 128 + round(40 * math.sin(2 * math.pi * self.tone * position / RATE))


def main() -> None:
    host, port, user, password, sip_port, low, high, tone, folder = sys.argv[1:]
    talks: list[Talk] = []

    def on_call(call: Any) -> None:
        tell("incoming", user=call.request.headers["From"]["number"])
        call.answer()
        talks.append(Talk(call, int(tone), Path(folder)))

    phone = VoIPPhone(
        host, int(port), user, password, myIP="127.0.0.1", callCallback=on_call,
        sipPort=int(sip_port), rtpPortLow=int(low), rtpPortHigh=int(high),
    )  # fmt: skip
    phone.start()
    while phone.get_status() is PhoneStatus.REGISTERING:
        time.sleep(0.02)
    tell("registered" if phone.get_status() is PhoneStatus.REGISTERED else "refused")
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "dial":
            talks.append(Talk(phone.call(command["user"]), int(tone), Path(folder)))
        elif command["do"] == "hangup":
            talks[-1].call.hangup()
        else:
            break
    phone.stop()
    os._exit(0)  # its threads would keep the process


main()
