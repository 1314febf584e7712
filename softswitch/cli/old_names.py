"""What users of Asterisk and FreeSWITCH type by habit, answered with our own command."""

OLD = {
    "core show channels": "calls",
    "core show channel": "calls",
    "core show calls": "calls",
    "core show uptime": "status",
    "core show version": "--version",
    "core show hints": "registrations",
    "core reload": "reload",
    "core restart": "run",
    "core set verbose": "trace",
    "core": "status",
    "sip show peers": "registrations",
    "sip show users": "registrations",
    "sip show registry": "status",
    "sip show channels": "calls",
    "sip set debug": "trace",
    "sip reload": "reload",
    "sip": "registrations",
    "pjsip show endpoints": "registrations",
    "pjsip show contacts": "registrations",
    "pjsip show aors": "registrations",
    "pjsip show registrations": "status",
    "pjsip show channels": "calls",
    "pjsip set logger": "trace",
    "pjsip": "registrations",
    "queue show": "queues",
    "queue add": "agents NAME login",
    "queue remove": "agents NAME logout",
    "queue pause": "agents NAME pause",
    "queue unpause": "agents NAME resume",
    "queue reload": "reload",
    "queue": "queues",
    "agent show": "agents",
    "agent logoff": "agents NAME logout",
    "dialplan show": "route NUMBER",
    "dialplan reload": "reload",
    "dialplan": "route NUMBER",
    "channel originate": "originate FROM TO",
    "channel request hangup": "hangup CALL",
    "channel": "calls",
    "module reload": "reload",
    "module": "status",
    "confbridge": "conferences",
    "voicemail show": "voicemail",
    "show channels": "calls",
    "show calls": "calls",
    "show registrations": "registrations",
    "show": "status",
    "sofia status": "registrations",
    "sofia global siptrace": "trace",
    "sofia": "registrations",
    "callcenter_config agent": "agents",
    "callcenter_config": "queues",
    "uuid_kill": "hangup CALL",
    "reloadxml": "reload",
    "hupall": "hangup --all",
    "fs_cli": "status",
}


def translate(arguments: list[str]) -> str | None:
    """The sentence that answers an old name; None where `arguments` are none."""
    words = " ".join(word for word in arguments if not word.startswith("-")).lower()
    for old, new in sorted(OLD.items(), key=lambda pair: -len(pair[0])):
        if words == old or words.startswith(old + " "):
            return f'"{old}" is called "softswitch {new}" here; all commands: softswitch --help'
    return None
