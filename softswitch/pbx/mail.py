"""New messages by e-mail: a queue in the store, tried until the server takes them.

Knows SMTP and what lies in the mailroom.  A letter outlives a restart; one whose message was
deleted meanwhile is dropped.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import aiosmtplib
import structlog

from config.settings import Settings
from config.voicemail import MailTable
from softswitch.pbx.boxes import BoxView, box_view
from softswitch.sip.types import Seconds
from softswitch.store.voicemail import VoiceMessage

if TYPE_CHECKING:
    from softswitch.pbx.switch import Switch

log = structlog.get_logger("mail")

LETTERS: Final = "letters"
"""Where in the store they wait, by the message's identity."""

TEXTS: Final = {
    "en": (
        "Voicemail from {caller}",
        "{caller} left a message of {length} in the box {box} on {moment}.",
    ),
    "ru": (
        "Голосовое сообщение от {caller}",
        "{caller}: сообщение длиной {length} в ящике {box}, {moment}.",
    ),
}
"""Subject and body by language."""


async def send_letters(switch: Switch) -> None:
    """Post every new message to whom its box names, for as long as the switch serves."""
    post = Post(switch)
    switch.mailroom.on_message.append(post.add)
    await post.run()


class Post:
    """The letters that wait."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._news = asyncio.Event()

    def add(self, message: VoiceMessage) -> None:
        """A new message: write a letter if its box has an address and there is a server."""
        settings = self._switch.settings
        box = box_view(settings, message.box)
        if box is None or not box.addresses or settings.mail is None:
            return
        now = time.time()
        self._switch.store.state.set(LETTERS, message.id, {"since": now, "next": now})
        self._news.set()

    async def run(self) -> None:
        """Send what is due, then wait for the next."""
        while True:
            self._news.clear()
            for identity, letter in list(self._waiting().items()):
                if letter["next"] <= time.time():
                    await self._try(identity, letter)
            pause = self._pause()
            try:
                async with asyncio.timeout(pause):
                    await self._news.wait()
            except TimeoutError:
                continue

    def _waiting(self) -> dict[str, dict[str, Any]]:
        return dict(self._switch.store.state.space(LETTERS))

    def _pause(self) -> Seconds | None:
        """Until the next letter is due; None where none waits."""
        due = [letter["next"] for letter in self._waiting().values()]
        return max(min(due) - time.time(), 0.1) if due else None

    async def _try(self, identity: str, letter: dict[str, Any]) -> None:
        """One attempt; a server that refuses is asked again later, for a day or so."""
        state, server = self._switch.store.state, self._switch.settings.mail
        message = self._switch.mailroom.index.get(identity)
        box = box_view(self._switch.settings, message.box) if message is not None else None
        if message is None or box is None or server is None or not box.addresses:
            state.remove(LETTERS, identity)
            return
        try:
            written = await asyncio.to_thread(write, self._switch.settings, server, box, message)
            await deliver(server, written)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            self._put_off(identity, letter, server, str(error))
            return
        state.remove(LETTERS, identity)
        log.info("message sent by e-mail", box=box.number, message=identity)
        if box.delete_after_mail:
            self._switch.mailroom.delete(message)

    def _put_off(self, identity: str, letter: dict[str, Any], server: MailTable, why: str) -> None:
        state, now = self._switch.store.state, time.time()
        if now - letter["since"] > server.give_up:
            log.error("message not sent by e-mail", message=identity, why=why)
            state.remove(LETTERS, identity)
        else:
            log.warning("e-mail is tried again", message=identity, why=why)
            state.set(LETTERS, identity, {**letter, "next": now + server.retry_every})


def write(
    settings: Settings, server: MailTable, box: BoxView, message: VoiceMessage
) -> EmailMessage:
    """The letter about `message`, its recording attached if the box says so.  Reads the file."""
    language = (box.language or settings.switch.language).partition("-")[0]
    subject, body = TEXTS.get(language, TEXTS["en"])
    moment = dt.datetime.fromtimestamp(message.left_at, settings.switch.zone)
    minutes, seconds = divmod(round(message.seconds), 60)
    facts = {
        "caller": f"{message.caller_name or ''} {message.caller or '?'}".strip(),
        "length": f"{minutes}:{seconds:02}",
        "box": box.name or box.number,
        "moment": f"{moment:%Y-%m-%d %H:%M}",
    }
    letter = EmailMessage()
    letter["From"], letter["To"] = server.sender, ", ".join(box.addresses)
    letter["Subject"] = " ".join(subject.format(**facts).split())
    letter["Date"] = format_datetime(moment)
    letter["Message-ID"] = make_msgid(message.id, settings.switch.domain.strip("[]"))
    letter.set_content(body.format(**facts) + "\n")
    if box.attach:
        sound = Path(message.path).read_bytes()
        name = f"{moment:%Y%m%d-%H%M}-{message.caller or 'message'}.wav"
        letter.add_attachment(sound, maintype="audio", subtype="wav", filename=name)
    return letter


async def deliver(server: MailTable, letter: EmailMessage) -> None:
    """Hand it to the server.  Raises SMTPException, OSError or TimeoutError."""
    password = server.password.get_secret_value() if server.password else None
    await aiosmtplib.send(
        letter,
        hostname=server.server,
        port=server.port,
        use_tls=server.encryption == "tls",
        start_tls=server.encryption == "starttls",
        username=server.username,
        password=password,
        timeout=server.timeout,
    )
