"""A call centre on virtual time: the very engine that runs live, with made-up or recorded callers.

Knows arrivals, patience, talk times and shifts.  Refuses to know files, clocks and screens.
`Scenario` says what happens, `simulate` lets it happen once, `compare` often and under several
rules with the same callers, `replay` walks a recorded day again.
"""
