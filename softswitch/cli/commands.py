"""Every command, one function each.  Those about a running switch are one request and one table."""

from pathlib import Path
from typing import Annotated, TypeAlias
from urllib.parse import quote, urlencode

import typer

from softswitch.cli.client import ask, fail, listen, settings_path, text
from softswitch.cli.output import show

app = typer.Typer(
    name="softswitch",
    help="A SIP softswitch with a call centre inside.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 100},
)

Config: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="Settings file; default: $SOFTSWITCH_CONFIG, ./softswitch.toml."
    ),
]
CALL_COLUMNS = ("id", "state", "caller", "caller_name", "dialled", "began_at", "doing", "legs")
PHONE_COLUMNS = ("extension", "transport", "address", "expires_at", "user_agent", "contact")
QUEUE_COLUMNS = (
    "name", "number", "strategy", "open", "waiting", "longest_wait", "agents", "answered",
    "abandoned", "service_level",
)  # fmt: skip
RECORD_COLUMNS = (
    "id", "began_at", "answered_at", "ended_at", "caller", "caller_name", "dialled", "answered_by",
    "trunk", "queue", "agent", "cause",
)  # fmt: skip
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(version("softswitch"))
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A SIP softswitch with a call centre inside."""


# ── A switch of one's own ────────────────────────────────────────────────────────────────────────


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="The new file.")] = Path("softswitch.toml"),
) -> None:
    """Write a first settings file: the example office with random passwords.

    Example: softswitch init
    """
    from config.example import write_office

    try:
        write_office(path)
    except FileExistsError:
        fail(f"{path} exists already; choose another name, or edit it")
    except OSError as error:
        fail(f"{path} cannot be written ({error.strerror})")
    print(f"wrote {path}; its phones: softswitch phones --config {path}")


@app.command()
def check(config: Config = None, as_json: AsJson = False) -> None:
    """Find every mistake of a settings file at once.

    Exit code 0: it can be obeyed, perhaps with warnings; 2: it cannot.

    Example: softswitch check --config office.toml
    """
    from config import examine

    path = settings_path(config)
    settings, problems = examine(path)
    if as_json:
        rows = [{"key": p.key, "problem": p.sentence, "warning": p.warning} for p in problems]
        show({"valid": settings is not None, "problems": rows}, as_json=True)
    else:
        for problem in problems:
            print(problem)
        errors = sum(not problem.warning for problem in problems)
        told = f"{errors} mistake{'s' if errors > 1 else ''}" if errors else "good"
        print(f"{path}: {told}")
    raise typer.Exit(0 if settings is not None else 2)


@app.command()
def run(config: Config = None) -> None:
    """Run the switch in the foreground.

    SIGTERM lets calls end, a second one stops at once; SIGHUP applies a changed settings file.

    Example: softswitch run --config office.toml
    """
    from softswitch.app import run as run_switch

    raise typer.Exit(run_switch(settings_path(config)))


@app.command()
def phones(
    number: Annotated[str, typer.Argument(help="One extension; absent: all.")] = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """What to type into a phone: server, user, password.

    Example: softswitch phones 101
    """
    from softswitch.cli.phones import accounts

    show(accounts(settings_path(config), number), as_json=as_json, empty="no extensions")


@app.command("set")
def set_setting(
    key: Annotated[str, typer.Argument(help="Dotted key: extensions.105.name.")],
    value: Annotated[str, typer.Argument(help="TOML, or plain text.")],
    config: Config = None,
) -> None:
    """Change one setting in the file; comments stay, mistakes are refused.

    Example: softswitch set extensions.105.name "Olga"
    """
    from config import ConfigError
    from config.edit import set_value

    path = settings_path(config)
    try:
        set_value(path, key, value)
    except ConfigError as error:
        fail(str(error), code=2)
    print(f"{path} is changed; apply it: softswitch reload")


@app.command()
def unset(
    key: Annotated[str, typer.Argument(help="Dotted key of a setting or a whole table.")],
    config: Config = None,
) -> None:
    """Take a setting or a table out of the file.

    Example: softswitch unset extensions.105
    """
    from config import ConfigError
    from config.edit import remove

    path = settings_path(config)
    try:
        remove(path, key)
    except ConfigError as error:
        fail(str(error), code=2)
    print(f"{path} is changed; apply it: softswitch reload")


@app.command()
def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Some measurements; absent: all. Or: compare A.json B.json"),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="All of them in a minute.")] = False,
    rounds: Annotated[int, typer.Option(help="Take each so often: tells the noise.", min=1)] = 1,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write every figure into this file.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write Markdown into this file, plots beside it.")
    ] = None,
    threshold: Annotated[
        float, typer.Option(help="Of compare: a change below this part is no news.", min=0.0)
    ] = 0.1,
) -> None:
    """Measure this machine: calls, packets, decisions, beside Kamailio and rtpengine if present.

    What is measured, and how to read it, stands in docs/benchmarks.md.  It runs in the source
    tree only, since the phones of the tests are its load.

    Example: softswitch bench relay engine --quick --json mine.json
    """
    from softswitch.cli.measuring import measure

    words = [*(names or [])]
    if words[:1] == ["compare"]:
        words += ["--threshold", str(threshold)]
    else:
        words += ["--quick"] * quick + ["--rounds", str(rounds)]
        for option, file in (("--json", json_file), ("--report", report)):
            words += [option, str(file.absolute())] if file else []
    raise typer.Exit(measure(words))


# ── The running switch ───────────────────────────────────────────────────────────────────────────


@app.command()
def status(
    lift: Annotated[str, typer.Option(help="First answer this address again.")] = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """How the switch is: capacity in use, trunks, media, who is slowed or refused and why.

    Example: softswitch status --lift 192.0.2.7
    """
    if lift:
        ask(config, "DELETE", f"/v1/guard/{quote(lift, safe='')}")
    show(ask(config, "GET", "/v1/status"), as_json=as_json)


@app.command()
def reload(config: Config = None, as_json: AsJson = False) -> None:
    """Apply the changed settings file, whole or not at all.  Calls go on.

    Example: softswitch reload
    """
    answer = ask(config, "POST", "/v1/reload", timeout=60.0)
    show(answer, as_json=as_json, empty="nothing has changed")


@app.command()
def settings(
    key: Annotated[str, typer.Argument(help="A table or a setting; absent: all.")] = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """By what the running switch runs, defaults included; secrets are hidden.

    Example: softswitch settings queues.sales
    """
    import json

    answer = ask(config, "GET", f"/v1/settings?{urlencode({'key': key})}")
    if as_json:
        return show(answer, as_json=True)
    for name, value in answer["settings"].items():
        print(f"{name} = {json.dumps(value, ensure_ascii=False)}")
    return None


@app.command()
def calls(config: Config = None, as_json: AsJson = False) -> None:
    """Calls in progress.

    Example: softswitch calls --json
    """
    show(ask(config, "GET", "/v1/calls"), as_json=as_json, empty="no calls", columns=CALL_COLUMNS)


@app.command()
def registrations(config: Config = None, as_json: AsJson = False) -> None:
    """Phones that are registered, and from where.

    Example: softswitch registrations
    """
    answer = ask(config, "GET", "/v1/registrations")
    show(answer, as_json=as_json, empty="no phone is registered", columns=PHONE_COLUMNS)


@app.command()
def queues(config: Config = None, as_json: AsJson = False) -> None:
    """Queues: who waits, who serves, service level.

    Example: softswitch queues
    """
    answer = ask(config, "GET", "/v1/queues")
    show(answer, as_json=as_json, empty="no queues", columns=QUEUE_COLUMNS)


@app.command()
def waiting(
    call: Annotated[str, typer.Argument(help="Change this one; the beginning of its id.")] = "",
    priority: Annotated[int | None, typer.Option(help="Higher is served first.")] = None,
    queue: Annotated[str, typer.Option(help="Wait there instead, in the old place.")] = "",
    leave: Annotated[str, typer.Option(help="Out of the queue, to a target.")] = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Who waits in queues; or change one: priority, queue, or send it elsewhere.

    Example: softswitch waiting 7f3a --priority 5
    """
    if not call:
        answer = ask(config, "GET", "/v1/waiting")
        return show(answer, as_json=as_json, empty="nobody waits")
    wishes = {"priority": priority, "queue": queue or None, "leave": leave or None}
    body = {key: value for key, value in wishes.items() if value is not None}
    return show(ask(config, "PATCH", f"/v1/waiting/{quote(call, safe='')}", body), as_json=as_json)


@app.command()
def statistics(
    since: Annotated[str, typer.Option(help="2026-03-02, 2026-03-02T12:30; today.")] = "",
    until: Annotated[str, typer.Option(help="The same; now.")] = "",
    name: Annotated[str, typer.Option(help="One queue or agent.")] = "",
    why: Annotated[str, typer.Option(help="A figure's formula and numbers; SL: every level.")] = "",
    source: Annotated[
        Path | None, typer.Option("--from", help="A queue_log of Asterisk; nothing needs to run.")
    ] = None,
    target: Annotated[float, typer.Option(help="With --from: the promise, in seconds.")] = 20.0,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Figures of queues and agents for any past interval; docs/figures.md defines each.

    Example: softswitch statistics --since 2026-03-02 --until 2026-03-03 --why SL
    """
    from softswitch.cli.statistics import of_file, tell

    if source is not None:
        answer = of_file(source, target)
    else:
        answer = ask(config, "GET", f"/v1/statistics?{_interval(since, until)}", timeout=120.0)
    return show(answer, as_json=True) if as_json else tell(answer, name, why)


@app.command("queue-log")
def queue_log(
    since: Annotated[str, typer.Option(help="2026-03-02, 2026-03-02T12:30; today.")] = "",
    until: Annotated[str, typer.Option(help="The same; now.")] = "",
    config: Config = None,
) -> None:
    """Print an interval as `queue_log`, for tools that read Asterisk's.

    Example: softswitch queue-log --since 2026-03-02 > queue_log
    """
    print(text(config, f"/v1/queue_log?{_interval(since, until)}"), end="")


def _interval(since: str, until: str) -> str:
    """Query of an interval given in local time; today so far, by default."""
    from datetime import datetime, time

    def epoch(moment: str) -> float:
        try:
            return datetime.fromisoformat(moment).timestamp()
        except ValueError:
            fail(f"{moment} is no moment; write 2026-03-02 or 2026-03-02T12:30")

    begin = epoch(since) if since else datetime.combine(datetime.now(), time()).timestamp()
    return urlencode({"since": begin, **({"until": epoch(until)} if until else {})})


@app.command()
def agents(
    name: Annotated[str, typer.Argument(help="One agent; absent: all.")] = "",
    action: Annotated[
        str,
        typer.Argument(help="login, logout, pause, resume, wrap-up, end-wrap-up, free or score."),
    ] = "",
    phone: Annotated[str, typer.Option(help="With login: the phone he sits at.")] = "",
    reason: Annotated[str, typer.Option(help="With pause: why.")] = "",
    seconds: Annotated[
        float | None, typer.Option(help="With wrap-up: how much more; absent: till it is ended.")
    ] = None,
    won: Annotated[int | None, typer.Option(help="With score: calls that were a success…")] = None,
    tried: Annotated[int | None, typer.Option(help="…of so many.")] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Agents and what they do; or command one of them.

    Example: softswitch agents anna pause --reason lunch
    """
    if not action:
        rows = [row for row in ask(config, "GET", "/v1/agents") if name in ("", row.get("name"))]
        return show(rows, as_json=as_json, empty="no such agent" if name else "no agents")
    wishes = {
        "phone": phone or None, "reason": reason or None, "seconds": seconds, "won": won,
        "tried": tried,
    }  # fmt: skip
    body = {key: value for key, value in wishes.items() if value is not None}
    answer = ask(config, "POST", f"/v1/agents/{quote(name)}/{quote(action)}", body)
    return show(answer, as_json=as_json)


@app.command()
def conferences(
    name: Annotated[str, typer.Argument(help="One room; absent: all.")] = "",
    action: Annotated[
        str,
        typer.Argument(
            help="lock, unlock, mute, unmute, kick, invite, record, stop-recording or end."
        ),
    ] = "",
    who: Annotated[
        str, typer.Argument(help="With mute, unmute, kick: a member; with invite: a number.")
    ] = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Conference rooms that somebody is in; or steer one.

    Example: softswitch conferences board invite 103
    """
    if action:
        steps = [name, who, action] if who and action != "invite" else [name, action]
        target = "/v1/conferences/" + "/".join(quote(step, safe="") for step in steps)
        body = {"to": who} if action == "invite" else None
        return show(ask(config, "POST", target, body), as_json=as_json)
    found = [row for row in ask(config, "GET", "/v1/conferences") if name in ("", row["name"])]
    return show(found, as_json=as_json, empty="nobody is in a conference")


@app.command()
def parked(config: Config = None, as_json: AsJson = False) -> None:
    """Calls that wait in a park slot.

    Example: softswitch parked
    """
    show(ask(config, "GET", "/v1/parked"), as_json=as_json, empty="no call is parked")


@app.command()
def mode(
    name: Annotated[str, typer.Argument(help="The mode to set; auto: by the calendar.")] = "",
    hours: Annotated[float, typer.Option(help="How long it holds.", min=0.0)] = 0.0,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """The mode in force (day, night, ...); or set it by hand.

    Without --hours it holds as long as its setting says, else until the calendar changes.

    Example: softswitch mode night --hours 3
    """
    if name:
        import time

        wish: dict[str, str | float] = {} if name == "auto" else {"name": name}
        if hours and name != "auto":
            wish["until"] = time.time() + 3600 * hours
        return show(ask(config, "PUT", "/v1/modes", wish), as_json=as_json)
    return show(ask(config, "GET", "/v1/modes"), as_json=as_json)


@app.command()
def voicemail(
    box: Annotated[str, typer.Argument(help="One box; absent: all that hold messages.")] = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Voicemail boxes, or the messages of one.

    Example: softswitch voicemail 101
    """
    target = "/v1/voicemail" + (f"/{quote(box, safe='')}" if box else "")
    show(ask(config, "GET", target), as_json=as_json, empty="no messages")


@app.command()
def records(
    number: Annotated[str, typer.Option(help="Who called or was called.")] = "",
    call: Annotated[str, typer.Option(help="One call with its legs and events.")] = "",
    chain: Annotated[str, typer.Option(help="Records of a call that came from a site.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many, the latest first.")] = 20,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Call records: who, whom, when, how long, how it ended.

    Example: softswitch records --number 101
    """
    query: dict[str, str | int] = {"limit": limit}
    query |= {key: text for key, text in (("number", number), ("chain", chain)) if text}
    target = f"/v1/records/{quote(call, safe='')}" if call else f"/v1/records?{urlencode(query)}"
    answer = ask(config, "GET", target)
    listed = answer if call or as_json else answer["records"]
    show(listed, as_json=as_json, empty="no records", columns=() if call else RECORD_COLUMNS)


@app.command()
def trace(
    call: Annotated[str, typer.Option(help="One call, by its id.")] = "",
    extension: Annotated[str, typer.Option(help="One extension's messages.")] = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Watch SIP messages as they come and go, as a ladder.  Ctrl-C ends it.

    Example: softswitch trace --extension 101
    """
    from softswitch.cli.ladder import Ladder

    wanted = {key: value for key, value in (("call", call), ("extension", extension)) if value}
    ladder = Ladder(as_json=as_json)
    try:
        for event in listen(config, "/v1/trace" + (f"?{urlencode(wanted)}" if wanted else "")):
            ladder.show(event)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


@app.command()
def originate(
    caller: Annotated[str, typer.Argument(help="The extension that is rung first.")],
    called: Annotated[str, typer.Argument(help="The number that it then calls.")],
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Ring one phone and connect it to a number.

    Example: softswitch originate 101 102
    """
    body = {"from": caller, "to": called}
    show(ask(config, "POST", "/v1/calls", body), as_json=as_json)


@app.command()
def hangup(
    call: Annotated[str, typer.Argument(help="The call's id, as in softswitch calls.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="End every call.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """End a call.

    Example: softswitch hangup 7f3a
    """
    if not call and not everything:
        fail("say which call, or --all; softswitch calls lists them")
    ids = [row["id"] for row in ask(config, "GET", "/v1/calls")] if everything else [call]
    ended = [ask(config, "DELETE", f"/v1/calls/{quote(one, safe='')}") for one in ids]
    show(ended, as_json=as_json, empty="no calls")


@app.command()
def explain(
    what: Annotated[str, typer.Argument(help="call, agent, waiting or queue.")],
    name: Annotated[str, typer.Argument(help="The call's id or the agent's name.")],
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Why a call went to that agent, why an agent is idle, why a caller still waits.

    Example: softswitch explain agent anna
    """
    answer = ask(config, "GET", f"/v1/explain/{quote(what)}/{quote(name, safe='')}")
    if as_json:
        return show(answer, as_json=True)
    for sentence in answer["sentences"]:
        print(sentence)
    return None


@app.command()
def route(
    number: Annotated[str, typer.Argument(help="What is dialled.")],
    caller: Annotated[str, typer.Option("--from", help="Who dials.")] = "",
    at: Annotated[str, typer.Option(help="When: 2026-03-02T12:30; absent: now.")] = "",
    digits: Annotated[
        list[str] | None, typer.Option(help="What a menu collected: customer=4711.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Where a number leads: the rule that fires and why.  Nothing is dialled.

    Example: softswitch route 84951234567 --from 89161234567 --at 2026-03-02T12:30
    """
    query = [(key, value) for key, value in (("from", caller), ("at", at)) if value]
    query += [("digits", each) for each in digits or ()]
    target = f"/v1/route/{quote(number, safe='')}" + (f"?{urlencode(query)}" if query else "")
    answer = ask(config, "GET", target)
    if as_json:
        return show(answer, as_json=True)
    for step in answer["steps"]:
        print(f"  {step}")
    print(f"{number} → {', '.join(answer['targets']) or 'refused'}")
    return None


@app.command()
def simulate(
    queue: Annotated[str, typer.Option(help="A queue of the settings file.")] = "",
    strategy: Annotated[list[str] | None, typer.Option(help="Again: compare.")] = None,
    agents: Annotated[list[int] | None, typer.Option(min=1, help="Again: compare.")] = None,
    calls_per_hour: Annotated[float, typer.Option(min=0.0)] = 100.0,
    hours: Annotated[float, typer.Option(min=0.1, max=24.0)] = 8.0,
    talk: Annotated[float, typer.Option(help="Mean, in seconds.", min=1.0)] = 180.0,
    patience: Annotated[float, typer.Option(help="Mean, in seconds; 0: endless.")] = 120.0,
    profile: Annotated[Path | None, typer.Option(help="A scenario file.")] = None,
    replay: Annotated[Path | None, typer.Option(help="A recorded day: journal or folder.")] = None,
    seeds: Annotated[int, typer.Option(help="How many days, or draws.", min=1, max=1000)] = 5,
    plot: Annotated[Path | None, typer.Option(help="Draw into this PNG.")] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Days of a call centre under other rules or staff, with the engine that runs the queues.

    Nothing needs to run. Files and figures are explained in docs/simulator.md.

    Example: softswitch simulate --queue sales --strategy fair --strategy linear --calls-per-hour 90
    """
    from softswitch.cli.simulation import replay_day, simulate_days

    file = settings_path(config) if queue or replay or config else None
    strategies = tuple(strategy or ())
    if replay is not None:
        return replay_day(replay, file, strategies, queue, seeds, as_json=as_json)
    from softswitch.simulation.command import Wish

    wish = Wish(
        queue, strategies, tuple(agents or ()), calls_per_hour, hours, talk, patience, seeds,
        profile, file,
    )  # fmt: skip
    return simulate_days(wish, plot, as_json=as_json)
