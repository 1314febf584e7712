"""Commands of the attendant's desk."""

import time
from datetime import datetime
from typing import Annotated
from urllib.parse import quote, urlencode

import typer

from softswitch.cli.client import ask, fail
from softswitch.cli.commands import AsJson, Config, app
from softswitch.cli.output import show

__all__ = ["app"]


@app.command()
def extensions(
    number: Annotated[str, typer.Argument(help="One of them; absent: all.")] = "",
    action: Annotated[str, typer.Argument(help="dnd-on, dnd-off, forward or forward-off.")] = "",
    to: Annotated[str, typer.Argument(help="With forward: where to.")] = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Colleagues and what they do: free, ringing, talking, held, away; or set something for one.

    Example: softswitch extensions 102 forward 103
    """
    if not action:
        rows = ask(config, "GET", "/v1/extensions")
        found = [row for row in rows if number in ("", row["number"])]
        return show(found, as_json=as_json, empty="no such extension")
    body = {"to": to} if to else {}
    answer = ask(config, "POST", f"/v1/extensions/{quote(number)}/{quote(action)}", body)
    return show(answer, as_json=as_json)


@app.command()
def groups(
    name: Annotated[str, typer.Argument(help="One group; absent: all.")] = "",
    action: Annotated[str, typer.Argument(help="join, leave or report.")] = "",
    member: Annotated[str, typer.Argument(help="With join and leave: who.")] = "",
    days: Annotated[float, typer.Option(help="With report: how far back.", min=0.0)] = 30.0,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Hunt groups and their members; let one leave or come back; who lets it ring.

    Example: softswitch groups office leave 102
    """
    if action == "report":
        query = urlencode({"since": time.time() - days * 86400})
        answer = ask(config, "GET", f"/v1/groups/{quote(name)}/report?{query}")
        return show(answer, as_json=as_json, empty="nobody was rung")
    if action:
        target = f"/v1/groups/{quote(name)}/{quote(member)}/{quote(action)}"
        return show(ask(config, "POST", target), as_json=as_json)
    found = [row for row in ask(config, "GET", "/v1/groups") if name in ("", row["name"])]
    if name and found and not as_json:
        return show(found[0]["members"], as_json=False, empty="nobody belongs to it")
    return show(found, as_json=as_json, empty="no such group" if name else "no groups")


@app.command()
def transfer(
    call: Annotated[str, typer.Argument(help="The call's id, as in softswitch calls.")],
    to: Annotated[str, typer.Argument(help="The number that the party is sent to.")],
    by: Annotated[str, typer.Option(help="Whose party; absent: the one who was called.")] = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Hand a party on, as its extension could by phone.

    Example: softswitch transfer 7f3a 103
    """
    body = {"to": to, **({"by": by} if by else {})}
    target = f"/v1/calls/{quote(call, safe='')}/transfer"
    show(ask(config, "POST", target, body), as_json=as_json)


@app.command()
def record(
    call: Annotated[str, typer.Argument(help="The call's id, as in softswitch calls.")],
    action: Annotated[str, typer.Argument(help="start, stop, pause or resume.")] = "start",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Record a conversation, which both parties are told; or pause and resume.

    Example: softswitch record 7f3a pause
    """
    target = f"/v1/calls/{quote(call, safe='')}/recording/{quote(action)}"
    show(ask(config, "POST", target), as_json=as_json)


@app.command()
def recalls(
    extension: Annotated[str, typer.Argument(help="Whose; absent: everybody's.")] = "",
    cancel: Annotated[bool, typer.Option("--cancel", help="He waits no longer.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Who waits for a free trunk or a busy colleague, to be rung back; or cancel it, as by *67.

    Example: softswitch recalls 102 --cancel
    """
    if cancel:
        if not extension:
            fail("say whose: softswitch recalls 102 --cancel")
        answer = ask(config, "DELETE", f"/v1/recalls/{quote(extension, safe='')}")
        return show(answer, as_json=as_json)
    rows = ask(config, "GET", "/v1/recalls")
    found = [row for row in rows if extension in ("", row["extension"])]
    return show(found, as_json=as_json, empty="nobody waits to be rung back")


@app.command()
def callbacks(
    owner: Annotated[str, typer.Argument(help="Whose; absent: everybody's.")] = "",
    number: Annotated[str, typer.Argument(help="A new one: whom he shall call.")] = "",
    note: Annotated[str, typer.Option(help="With a new one: about what.")] = "",
    due: Annotated[str, typer.Option(help="With a new one: 2026-03-02T12:30.")] = "",
    done: Annotated[str, typer.Option(help="Close the one with this id.")] = "",
    closed: Annotated[bool, typer.Option("--closed", help="Show closed ones too.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Callbacks that were promised; file or close one.  An answered call there closes it, too.

    Example: softswitch callbacks 103 +74951234567 --note "asks for a price" --due 2026-03-02T12:30
    """
    if done:
        return show(ask(config, "POST", f"/v1/callbacks/{quote(done)}/done"), as_json=as_json)
    if number:
        body: dict[str, str | float] = {"owner": owner, "number": number, "note": note}
        if due:
            body["due"] = _moment(due)
        return show(ask(config, "POST", "/v1/callbacks", body), as_json=as_json)
    query = {**({"owner": owner} if owner else {}), **({"closed": "true"} if closed else {})}
    target = "/v1/callbacks" + (f"?{urlencode(query)}" if query else "")
    return show(ask(config, "GET", target), as_json=as_json, empty="nobody waits to be called back")


def _moment(text: str) -> float:
    """Epoch seconds of a time as this machine's clock on the wall shows it."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        fail(f"{text} is no moment; write it as 2026-03-02T12:30")
