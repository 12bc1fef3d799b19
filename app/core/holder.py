"""Who holds the virtual address: the acts of a node that lacks what is its, or has what is not.

The steps of fencing and promotion move the address at once; here the decision is made again at each tick, so that
whatever they could not do is done later, and an address that nobody gave up is given up.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.core.acts import Act, ClearAlarm, GiveUpAddress, RaiseAlarm, TakeAddress
from app.core.facts import Observation
from app.core.memory import fresh_facts
from app.core.moves import promotion_unfinished
from app.core.pairconfig import PairConfig
from app.core.roles import Role
from app.core.scene import Scene
from app.core.state import NodeState

ALARM = "virtual-address"
LATE_S = 5.0
"""An address that could not be taken for this long is an alarm."""


def belongs_here(state: NodeState) -> bool:
    """Whether this node is the one of the pair that holds the address: the primary that nothing fences."""
    return state.role is Role.PRIMARY and state.fence is None and not promotion_unfinished(state)


def address_acts(scene: Scene) -> Iterator[Act]:
    """What this node does about the address. Nothing while it is not known what the node holds."""
    wanted, held = scene.config.virtual_address, scene.seen.held_addresses
    if held and (wanted is None or not belongs_here(scene.state)):
        yield GiveUpAddress(rule="not-the-primary", why="This server holds the virtual address, and may not.")
    elif held and held != (str(wanted),):
        yield GiveUpAddress(rule="another-address", why=f"This server holds another address than {wanted}.")
    elif wanted is not None and lacks_address(scene.state, scene.config, scene.seen):
        why = f"This server is the primary and accepts writes: the virtual address {wanted} belongs here."
        yield TakeAddress(rule="primary-holds-address", why=why, address=wanted)
    yield from _alarm(scene)


def lacks_address(state: NodeState, config: PairConfig, seen: Observation) -> bool:
    """Whether this node is the writable primary and does not hold the address. A database that can't be asked, or is
    being started again, is no reason to give the address up, and none to take it."""
    facts = fresh_facts(seen)
    writable = facts is not None and not facts.read_only
    return config.virtual_address is not None and belongs_here(state) and writable and seen.held_addresses == ()


def _alarm(scene: Scene) -> Iterator[Act]:
    since, up = scene.memory.address_lacking_since_s, ALARM in scene.seen.alarms
    if since is not None and scene.seen.now_s - since >= LATE_S and not up:
        address = scene.config.virtual_address
        text = (
            f"This server is the primary, but can't take the virtual address {address}, so clients that use it reach"
            " nobody. See that the interface exists and is up; the log of the monitor says what failed."
        )
        yield RaiseAlarm(rule="address-not-taken", why=text, code=ALARM, text=text)
    elif up and since is None:
        yield ClearAlarm(rule="address-not-taken", why="The virtual address is where it belongs.", code=ALARM)
