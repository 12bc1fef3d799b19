"""Faults on a real pair while it is busy: every fault, during every activity, on either server, in both topologies."""
