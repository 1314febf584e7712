"""HTTP: commands, state, event streams and metrics of a running switch.

Knows HTTP and the words of `view`, by which it sees the switch.  Refuses to know how any of it
comes about.
"""
