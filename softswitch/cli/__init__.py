"""The command line: starts a switch, or asks the running one over its Unix socket.

Exit codes: 0 done, 2 the settings file is at fault, 1 anything else.  Every command imports what
it needs inside itself, so that `softswitch --help` is there at once.
"""

import sys

from softswitch.cli.old_names import translate

__all__ = ["main"]


def main() -> None:
    """Entry point of the `softswitch` command."""
    arguments = sys.argv[1:] or ["--help"]
    if sentence := translate(arguments):
        print(sentence, file=sys.stderr)
        sys.exit(1)
    sys.exit(_run(arguments))


def _run(arguments: list[str]) -> int:
    """Run one command; a wrong command line is 1, since 2 means the settings file."""
    import typer

    from softswitch.cli import desk

    try:
        code = desk.app(arguments, prog_name="softswitch", standalone_mode=False)
    except typer.TyperException as error:
        print(f"{error}  softswitch --help tells what there is.", file=sys.stderr)
        return 1
    except typer.Abort:
        return 130
    except BrokenPipeError:  # `softswitch trace | head`
        sys.stderr.close()
        return 0
    return code if isinstance(code, int) else 0
