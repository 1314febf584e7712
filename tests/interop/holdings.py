"""What a running switch has in hand: all that it takes for calls it must give back."""

import urllib.request

import psutil
from prometheus_client.parser import text_string_to_metric_families

from tests.interop.switch import Switch

HELD = ("calls", "legs", "tasks", "registrations", "media_ports_used", "sip_alive")


def processes(switch: Switch) -> list[psutil.Process]:
    """The switch and its media engines."""
    whole = psutil.Process(switch.pid)
    return [whole, *whole.children()]


def holdings(switch: Switch) -> dict[str, float]:
    """Counts by name; `descriptors` are those of all its processes."""
    with urllib.request.urlopen(f"http://127.0.0.1:{switch.http_port}/metrics") as answer:
        page = answer.read().decode()
    found = {
        family.name.removeprefix("softswitch_"): sum(sample.value for sample in family.samples)
        for family in text_string_to_metric_families(page)
    }
    descriptors = sum(each.num_fds() for each in processes(switch))
    return {**{name: found[name] for name in HELD}, "descriptors": descriptors}
