"""The process of one pjsua2 phone; see `Pjsua` for what its arguments mean.

SWIG keeps no temporary alive: whatever PJSIP still points to is held in an attribute.
"""

import json
import select
import sys
from pathlib import Path
from typing import Any

import pjsua2 as pj

STATES = ("NULL", "CALLING", "INCOMING", "EARLY", "CONNECTING", "CONFIRMED", "DISCONNECTED")


def tell(event: str, **fields: Any) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


class Call(pj.Call):  # type: ignore[misc]
    """Plays the tone and records as soon as sound flows."""

    def __init__(self, phone: "Phone", *arguments: Any) -> None:
        super().__init__(phone, *arguments)
        self.phone = phone
        self.player: Any = None
        self.recorder: Any = None

    def onCallState(self, _: Any) -> None:  # noqa: N802
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.player = self.recorder = None
        tell("state", state=STATES[info.state], status=info.lastStatusCode, reason=info.lastReason)

    def onCallMediaState(self, _: Any) -> None:  # noqa: N802
        info = self.getInfo()
        if info.media[0].status != pj.PJSUA_CALL_MEDIA_ACTIVE:
            return
        sound = self.getAudioMedia(0)  # after a re-INVITE it is another one
        if self.player is None:
            heard = Path(self.phone.folder) / f"heard-{self.getId()}.wav"
            self.player, self.recorder = pj.AudioMediaPlayer(), pj.AudioMediaRecorder()
            self.player.createPlayer(self.phone.tone)
            self.recorder.createRecorder(str(heard))
        tell("sound", at=self.getMedTransportInfo(0).localRtpName)
        self.player.startTransmit(sound)
        sound.startTransmit(self.recorder)

    def onCallTransferStatus(self, status: Any) -> None:  # noqa: N802
        tell("transferred", status=status.statusCode)

    def onDtmfDigit(self, digit: Any) -> None:  # noqa: N802
        tell("dtmf", digit=digit.digit)


class Phone(pj.Account):  # type: ignore[misc]
    def __init__(self, words: list[str]) -> None:
        super().__init__()
        server, transport, user, password, _, rtp, answer, prack, timer, srtp = words[:10]
        self.tone, self.folder = words[10:]
        self.answer, self.calls = int(answer), list[Call]()
        suffix = "" if transport == "udp" else f";transport={transport}"
        config = pj.AccountConfig()
        config.idUri = f"sip:{user}@{server}{suffix}"
        config.regConfig.registrarUri = f"sip:{server}{suffix}"
        config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, password))
        config.callConfig.prackUse, config.callConfig.timerUse = int(prack), int(timer)
        config.mwiConfig.enabled = True
        config.ipChangeConfig.hangupCalls = False
        anew = pj.PJSUA_CALL_REINIT_MEDIA | pj.PJSUA_CALL_UPDATE_CONTACT
        config.ipChangeConfig.reinviteFlags = anew
        config.mediaConfig.srtpUse = int(srtp)
        config.mediaConfig.srtpSecureSignaling = 0
        config.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
        config.mediaConfig.transportConfig.port = int(rtp)
        self.create(config)

    def onRegState(self, result: Any) -> None:  # noqa: N802
        tell("registered", status=result.code)

    def onIncomingCall(self, incoming: Any) -> None:  # noqa: N802
        call = Call(self, incoming.callId)
        self.calls.append(call)
        tell("incoming", caller=call.getInfo().remoteUri)
        call.answer(status(self.answer))

    def onMwiInfo(self, info: Any) -> None:  # noqa: N802
        tell("mwi", body=info.rdata.wholeMsg.partition("\r\n\r\n")[2])

    def drop_sound(self) -> None:
        for call in self.calls:
            call.player = call.recorder = None

    def obey(self, command: dict[str, Any]) -> None:
        match command["do"]:
            case "dial":
                self.calls.append(Call(self))
                self.calls[-1].makeCall(command["uri"], pj.CallOpParam(True))
            case "answer":
                self.calls[-1].answer(status(command["status"]))
            case "hangup":
                self.calls[-1].hangup(pj.CallOpParam())
            case "hold":
                self.calls[-1].setHold(pj.CallOpParam(True))
            case "resume":
                again = pj.CallOpParam(True)
                again.opt.flag = pj.PJSUA_CALL_UNHOLD
                self.calls[-1].reinvite(again)
            case "press":
                self.calls[-1].dialDtmf(command["digits"])
            case "transfer":
                self.calls[-1].xfer(command["uri"], pj.CallOpParam(True))
            case "move":
                pj.Endpoint.instance().handleIpChange(pj.IpChangeParam())
            case "join":
                first, second = self.calls[-2:]
                first.xferReplaces(second, pj.CallOpParam(True))


def status(code: int) -> Any:
    parameter = pj.CallOpParam()
    parameter.statusCode = code
    return parameter


def start(sip_port: int, transport: str) -> Any:
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    config = pj.EpConfig()
    config.logConfig.consoleLevel = config.logConfig.level = 0
    config.uaConfig.threadCnt, config.uaConfig.mainThreadOnly = 0, True
    endpoint.libInit(config)
    endpoint.audDevManager().setNullDev()
    where = pj.TransportConfig()
    where.port, where.boundAddress = sip_port, "127.0.0.1"
    kinds = {"udp": pj.PJSIP_TRANSPORT_UDP, "tcp": pj.PJSIP_TRANSPORT_TCP}
    endpoint.transportCreate(kinds.get(transport, pj.PJSIP_TRANSPORT_TLS), where)
    endpoint.libStart()
    return endpoint


def main() -> None:
    words = sys.argv[1:]
    endpoint = start(int(words[4]), words[1])
    phone = Phone(words)
    while True:
        endpoint.libHandleEvents(10)
        if select.select([sys.stdin], [], [], 0)[0]:
            line = sys.stdin.readline()
            command = json.loads(line) if line else {"do": "quit"}
            if command["do"] == "quit":
                break
            try:
                phone.obey(command)
            except pj.Error as error:
                tell("refused", command=command["do"], reason=error.info())
    endpoint.hangupAllCalls()
    for _ in range(50):
        endpoint.libHandleEvents(10)
    phone.drop_sound()
    for _ in range(60):  # a recorder's file is complete a moment after it was dropped
        endpoint.libHandleEvents(10)
    phone.calls.clear()
    phone.shutdown()
    for _ in range(30):
        endpoint.libHandleEvents(10)
    endpoint.libDestroy()


main()
