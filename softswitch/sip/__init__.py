"""SIP (RFC 3261 and its kin), sans-IO: no socket, clock, task or lock in this package."""
