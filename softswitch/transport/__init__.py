"""The sockets under sip/, and the one driver that feeds, performs and re-arms.

driver = Driver(ua, Trace(), crashed)
driver.wires = wires = Transports(driver, admits=guard, client_tls=client_context())
await wires.listen([Listener("udp", "0.0.0.0", 5060), Listener("tcp", "0.0.0.0", 5060)])
"""

from softswitch.transport.driver import Driver
from softswitch.transport.limits import Limits
from softswitch.transport.trace import Trace
from softswitch.transport.transports import Listener, ListenError, Transports

__all__ = ["Driver", "Limits", "ListenError", "Listener", "Trace", "Transports"]
