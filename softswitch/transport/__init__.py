"""The sockets under sip/, and the one driver that feeds, performs and re-arms.

driver = Driver(ua, guard.admit, Trace())
ua.output.on_first = driver.wake
driver.wires = wires = Transports(driver, client_tls=tls.client_context())
ua.advertise = wires.local          # or the address that a router shows outside
await wires.listen([Listener("udp", "0.0.0.0", 5060), Listener("tcp", "0.0.0.0", 5060)])
"""

from softswitch.transport.driver import Driver
from softswitch.transport.limits import Limits
from softswitch.transport.trace import Trace
from softswitch.transport.transports import Listener, ListenError, Transports

__all__ = ["Driver", "Limits", "ListenError", "Listener", "Trace", "Transports"]
