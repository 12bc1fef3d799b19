"""The wiring of the watchdog, which lives as long as the node and is to stay small: only what it looks with."""

from __future__ import annotations

from app.adapters.machine import LinuxMachine
from app.ports import Machine
from app.settings import Settings


def build_machine(settings: Settings) -> Machine:
    """This server, for reading what the monitor publishes."""
    return LinuxMachine(settings)
