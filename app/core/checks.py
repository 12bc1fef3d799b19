"""The checks before a set-up or a swap: what two servers say of themselves, compared. Changes nothing, asks nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_interface
from typing import Any

from app.core.virtual_address import Interface, VirtualAddress, misplaced

CLOCK_TOLERANCE_S = 2.0
SIZE_TOLERANCE = 0.10
"""Two servers count as identical when CPUs are equal and memory and disk differ by no more than this share."""
SEED_HEADROOM = 1.2
"""The copy and its preparation need this many times the size of the primary's data."""
ROOM_TO_RUN_BYTES = 256 << 20
"""Stays free beside the copy: without it the database, its logs and this server's own records could not be written."""


@dataclass(frozen=True)
class Check:
    """One line of the preflight report."""

    id: str
    result: str
    """pass, warn or fail"""
    detail: str


@dataclass(frozen=True)
class ServerFacts:
    """What one server says of itself before it is paired."""

    hostname: str
    version: str
    cpus: int
    memory_bytes: int
    disk_bytes: int
    disk_free_bytes: int
    engine: str
    engine_version: str
    data_bytes: int
    files_bytes: int
    time: float
    """Seconds since 1970 when the facts were taken."""

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ServerFacts:
        """The facts out of a peer's reply. Raises ValueError where one is missing or of the wrong type."""
        try:
            return cls(
                hostname=str(document["hostname"])[:255],
                version=str(document["version"])[:64],
                cpus=int(document["cpus"]),
                memory_bytes=int(document["memory_bytes"]),
                disk_bytes=int(document["disk_bytes"]),
                disk_free_bytes=int(document["disk_free_bytes"]),
                engine=str(document["engine"])[:64],
                engine_version=str(document["engine_version"])[:64],
                data_bytes=int(document["data_bytes"]),
                files_bytes=int(document["files_bytes"]),
                time=float(document["time"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"the other server's facts are not complete: {error!r}") from error


def compare(primary: ServerFacts, secondary: ServerFacts, round_trip_s: float) -> list[Check]:
    """The checks of two servers that are to become a pair. `round_trip_s` is how long the question took."""
    return [
        _versions(primary, secondary),
        _cpus(primary, secondary),
        _size("memory", primary.memory_bytes, secondary.memory_bytes),
        _size("disk", primary.disk_bytes, secondary.disk_bytes),
        _engines(primary, secondary),
        _clocks(primary, secondary, round_trip_s),
        seed_space(primary.data_bytes, primary.files_bytes, secondary.disk_free_bytes),
    ]


def compare_addresses(own: Mapping[str, Any], peer: Mapping[str, Any]) -> list[Check]:
    """Whether the two drafts name each other, and one is the primary and the other the secondary."""
    own_address, own_peer = _text(own, "HAServerAddress"), _text(own, "HAPeerAddress")
    peer_address, peer_peer = _text(peer, "HAServerAddress"), _text(peer, "HAPeerAddress")
    checks = []
    if own_address.lower() == peer_peer.lower() and own_peer.lower() == peer_address.lower():
        checks.append(Check("addresses", "pass", f"{own_address} and {peer_address} name each other."))
    else:
        checks.append(
            Check(
                "addresses",
                "fail",
                f"This server is {own_address or 'not named'} and expects {own_peer or 'nobody'}; the other server is"
                f" {peer_address or 'not named'} and expects {peer_peer or 'nobody'}. Each server's HAPeerAddress must"
                " be the other's HAServerAddress.",
            )
        )
    roles = {_text(own, "HAServerRole"), _text(peer, "HAServerRole")}
    if roles == {"primary", "secondary"}:
        checks.append(Check("roles", "pass", "One server is to be primary and the other secondary."))
    else:
        checks.append(
            Check(
                "roles",
                "fail",
                f"This server is to be {_text(own, 'HAServerRole') or 'nothing'} and the other"
                f" {_text(peer, 'HAServerRole') or 'nothing'}. One must be primary and the other secondary.",
            )
        )
    return checks


def seed_space(data_bytes: int, files_bytes: int, free_bytes: int) -> Check:
    """Whether the copy of the primary's data fits beside the secondary's own, which is kept, and leaves room to run."""
    needed = int(data_bytes * SEED_HEADROOM) + files_bytes + ROOM_TO_RUN_BYTES
    if free_bytes < needed:
        return Check(
            "seed-space",
            "fail",
            f"The copy needs {_gigabytes(needed)} beside the secondary's own data, and only {_gigabytes(free_bytes)}"
            " are free there.",
        )
    return Check("seed-space", "pass", f"The copy needs {_gigabytes(needed)}; {_gigabytes(free_bytes)} are free.")


def kept_aside(count: int, kept_bytes: int, free_bytes: int) -> Check:
    """What lies on this server from earlier set-ups and rejoins; nobody but an administrator removes it."""
    if not count:
        return Check("kept-aside", "pass", "Nothing is kept aside on this server.")
    size, free = _gigabytes(kept_bytes), _gigabytes(free_bytes)
    what = f"Folders kept aside on this server ({count}) take {size}; {free} are free."
    if kept_bytes <= free_bytes:
        return Check("kept-aside", "pass", f"{what} `hapair rescues` lists them.")
    advice = "`hapair rescues` lists them; what is no longer needed is removed by `hapair rescues remove ID`."
    return Check("kept-aside", "warn", f"{what} {advice}")


def interfaces_of(document: object) -> tuple[Interface, ...]:
    """The interfaces out of a peer's reply; whatever is not of the right form is left out."""
    found = []
    for each in document if isinstance(document, list) else []:
        name, networks = (each.get("name"), each.get("networks")) if isinstance(each, dict) else (None, None)
        if isinstance(name, str) and isinstance(networks, list):
            found.append(Interface(name, tuple(text for text in networks if _is_network(text))))
    return tuple(found)


def _is_network(text: object) -> bool:
    try:
        ip_interface(text) if isinstance(text, str) else ip_interface("")
    except ValueError:
        return False
    return True


def virtual_address(wanted: VirtualAddress, own: Sequence[Interface], peers: Sequence[Interface]) -> Check:
    """Whether both servers can hold the virtual address."""
    faults = [*misplaced(wanted, own), *misplaced(wanted, peers, "the other server")]
    if not faults:
        return Check("virtual-address", "pass", f"Both servers can hold {wanted}.")
    return Check(
        "virtual-address",
        "fail",
        f"The virtual address {wanted} does not fit both servers, so it could not move between them. HAVirtualAddress: "
        + " ".join(faults),
    )


def failures(checks: list[Check]) -> list[Check]:
    """The checks that forbid going on."""
    return [check for check in checks if check.result == "fail"]


def _versions(primary: ServerFacts, secondary: ServerFacts) -> Check:
    if primary.version == secondary.version:
        return Check("version", "pass", f"Both servers run hapair {primary.version}.")
    return Check(
        "version",
        "fail",
        f"The primary runs hapair {primary.version} and the secondary {secondary.version}. Bring both to the same"
        " version first.",
    )


def _cpus(primary: ServerFacts, secondary: ServerFacts) -> Check:
    if primary.cpus == secondary.cpus:
        return Check("cpus", "pass", f"Both servers have {primary.cpus} CPUs.")
    return Check(
        "cpus",
        "warn",
        f"The primary has {primary.cpus} CPUs and the secondary {secondary.cpus}. After a failover the pair is as fast"
        " as the server that is left.",
    )


def _size(name: str, primary: int, secondary: int) -> Check:
    if abs(primary - secondary) <= SIZE_TOLERANCE * max(primary, secondary):
        return Check(name, "pass", f"Both servers have about {_gigabytes(primary)} of {name}.")
    return Check(
        name,
        "warn",
        f"The primary has {_gigabytes(primary)} of {name} and the secondary {_gigabytes(secondary)}. Servers of a pair"
        " should be of the same size.",
    )


def _engines(primary: ServerFacts, secondary: ServerFacts) -> Check:
    if primary.engine != secondary.engine:
        return Check("database", "fail", f"The databases differ: {primary.engine} and {secondary.engine}.")
    release = primary.engine_version.split(".")[:2]
    if release != secondary.engine_version.split(".")[:2]:
        return Check(
            "database",
            "fail",
            f"The primary runs {primary.engine} {primary.engine_version} and the secondary {secondary.engine_version}:"
            " a physical copy needs the same release.",
        )
    if primary.engine_version != secondary.engine_version:
        return Check(
            "database",
            "warn",
            f"The primary runs {primary.engine} {primary.engine_version} and the secondary {secondary.engine_version}.",
        )
    return Check("database", "pass", f"Both servers run {primary.engine} {primary.engine_version}.")


def _clocks(primary: ServerFacts, secondary: ServerFacts, round_trip_s: float) -> Check:
    # The reply was written at some moment of the round trip, so half of it can't be told from a difference.
    difference = max(0.0, abs(primary.time - secondary.time) - round_trip_s)
    if difference <= CLOCK_TOLERANCE_S:
        return Check("clocks", "pass", f"The clocks differ by no more than {CLOCK_TOLERANCE_S:g} s.")
    return Check(
        "clocks",
        "fail",
        f"The clocks of the two servers differ by {difference:.1f} s; {CLOCK_TOLERANCE_S:g} s are allowed. Set the time"
        " service on both.",
    )


def _text(config: Mapping[str, Any], name: str) -> str:
    value = config.get(name)
    return value if isinstance(value, str) else ""


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB"
