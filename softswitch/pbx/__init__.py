"""What the office can do: one feature a module, each a coroutine over legs.

Knows legs, settings and the store.  Refuses to know SIP messages beyond what a feature is
about (REGISTER, REFER, SUBSCRIBE), and every socket.
"""
