"""`python -m softswitch` is `softswitch`."""

from softswitch.cli import main

main()
