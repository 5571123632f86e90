"""Loopback ports for what we start.

They are taken from below the range that systems give to outgoing connections:
a port of that range may become the near end of any connection between the look and the use,
or while a broker that is to come back on it is down.
"""

import contextlib
import random
import socket

from riskstream.errors import KafkaFaultError

__all__ = ["HOST", "free_port", "free_ports"]

HOST = "127.0.0.1"
FIRST, LAST = 20_000, 32_700
"""Linux gives 32768 to 60999 to outgoing connections, macOS 49152 to 65535."""
TRIES = 200


def free_port() -> int:
    """A port that nothing listens on at this moment."""
    return free_ports(1)


def free_ports(number: int) -> int:
    """The first of so many ports in a row that nothing listens on at this moment.

    Raises:
        KafkaFaultError: None were found.
    """
    # Not seeded with anything: two processes that look at once must look in different places.
    look = random.SystemRandom()
    for _ in range(TRIES):
        first = look.randint(FIRST, LAST - number)
        if all(_is_free(first + offset) for offset in range(number)):
            return first
    raise KafkaFaultError(f"There are no {number} free ports in a row on {HOST}.")


def _is_free(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        # As servers do it: a port whose last connections still linger is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
