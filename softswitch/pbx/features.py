"""Which module serves which target, code and wish: the office's index."""

from __future__ import annotations

from config.targets import Kind
from softswitch.pbx.conference import conference
from softswitch.pbx.consult import attended, blind
from softswitch.pbx.extension import extension
from softswitch.pbx.group import group, group_login
from softswitch.pbx.in_call import during_talk
from softswitch.pbx.mail import send_letters
from softswitch.pbx.mailbox import any_box, own_box, own_greeting_code
from softswitch.pbx.menu import menu
from softswitch.pbx.mwi import light_lamps
from softswitch.pbx.play import hangup, play
from softswitch.pbx.recording import keep_recordings, on_demand
from softswitch.pbx.targets import Features
from softswitch.pbx.voicemail import keep_boxes, voicemail

FEATURES = Features(
    targets={
        Kind.CONFERENCE: conference,
        Kind.EXTENSION: extension,
        Kind.GROUP: group,
        Kind.HANGUP: hangup,
        Kind.MENU: menu,
        Kind.PLAY: play,
        Kind.VOICEMAIL: voicemail,
    },
    codes={
        "any_voicemail": any_box,
        "greeting": own_greeting_code,
        "group_login": group_login,
        "voicemail": own_box,
    },
    during_talk=during_talk,
    in_call={
        "attended_transfer": attended,
        "blind_transfer": blind,
        "record": on_demand,
    },
    services=(
        light_lamps,
        send_letters,
        keep_boxes,
        keep_recordings,
    ),
)
