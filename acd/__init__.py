"""Who waits, who is free, who gets whom: the call centre's engine.

Knows queues, agents, calls and time.  Refuses to know SIP, sound, sockets, tasks and databases.
The door: `Engine` in `acd.engine`; what it is told in `acd.events`, what it says in
`acd.actions`, what may be set in `acd.settings`, records in `acd.journal` and `acd.codec`.
"""
