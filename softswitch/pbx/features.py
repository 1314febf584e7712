"""Which module serves which target, code and wish: the office's index."""

from __future__ import annotations

from config.targets import Kind
from softswitch.pbx.archive import keep_recordings
from softswitch.pbx.beside import one_outside
from softswitch.pbx.codes import (
    dnd_off,
    dnd_on,
    echo,
    forward_off,
    forward_on,
    last_caller,
    tell_time,
)
from softswitch.pbx.conference import conference
from softswitch.pbx.consult import attended, blind, let_go
from softswitch.pbx.door import door
from softswitch.pbx.extension import extension
from softswitch.pbx.greetings import own_greeting_code
from softswitch.pbx.group import group, group_login
from softswitch.pbx.in_call import during_talk
from softswitch.pbx.inbound import rules
from softswitch.pbx.intercom import intercom
from softswitch.pbx.mail import send_letters
from softswitch.pbx.mailbox import any_box, own_box
from softswitch.pbx.menu import menu
from softswitch.pbx.mode_codes import mode_code
from softswitch.pbx.mwi import light_lamps
from softswitch.pbx.number import number
from softswitch.pbx.page import page
from softswitch.pbx.park import fetch, park, park_by_key
from softswitch.pbx.pickup import directed_pickup, group_pickup
from softswitch.pbx.play import hangup, play
from softswitch.pbx.queue.caller import queue
from softswitch.pbx.queue.codes import (
    agent_login,
    agent_more_time,
    agent_pause,
    agent_wrap_up,
)
from softswitch.pbx.queue.direct import agent
from softswitch.pbx.reachability import follow_handsets, watch_lamps
from softswitch.pbx.recall_codes import callback, callback_off
from softswitch.pbx.recording import on_demand
from softswitch.pbx.targets import Features
from softswitch.pbx.voicemail import keep_boxes, leave_message, voicemail

FEATURES = Features(
    targets={
        Kind.AGENT: agent,
        Kind.CONFERENCE: conference,
        Kind.DOOR: door,
        Kind.EXTENSION: extension,
        Kind.GROUP: group,
        Kind.HANGUP: hangup,
        Kind.MENU: menu,
        Kind.NUMBER: number,
        Kind.PAGE: page,
        Kind.PLAY: play,
        Kind.QUEUE: queue,
        Kind.RULES: rules,
        Kind.VOICEMAIL: voicemail,
    },
    codes={
        "agent_login": agent_login,
        "agent_more_time": agent_more_time,
        "agent_pause": agent_pause,
        "agent_wrap_up": agent_wrap_up,
        "any_voicemail": any_box,
        "callback": callback,
        "callback_off": callback_off,
        "directed_pickup": directed_pickup,
        "dnd_off": dnd_off,
        "dnd_on": dnd_on,
        "echo": echo,
        "forward_off": forward_off,
        "forward_on": forward_on,
        "greeting": own_greeting_code,
        "group_login": group_login,
        "intercom": intercom,
        "leave_message": leave_message,
        "last_caller": last_caller,
        "mode": mode_code,
        "park": park,
        "pickup": group_pickup,
        "slot": fetch,
        "time": tell_time,
        "voicemail": own_box,
    },
    during_talk=during_talk,
    in_call={
        "attended_transfer": attended,
        "blind_transfer": blind,
        "hang_up": let_go,
        "park": park_by_key,
        "record": on_demand,
    },
    outside=one_outside,
    services=(
        follow_handsets,
        watch_lamps,
        light_lamps,
        send_letters,
        keep_boxes,
        keep_recordings,
    ),
)
