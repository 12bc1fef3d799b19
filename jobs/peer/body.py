"""Reading the other server's requests: nothing in them is trusted beyond its type."""

from __future__ import annotations

from app.core.errors import InvalidInput, NotAllowed
from app.core.state import NodeState
from app.ports import Json

TEXT_MAX = 4096


def text(body: Json, name: str, longest: int = TEXT_MAX) -> str:
    """The text of that name. Raises InvalidInput (code `bad-request`)."""
    value = body.get(name)
    if not isinstance(value, str) or len(value) > longest:
        raise _bad(name)
    return value


def whole(body: Json, name: str) -> int:
    """The whole number of that name, not negative. Raises InvalidInput (code `bad-request`)."""
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _bad(name)
    return value


def seconds(body: Json, name: str, longest: float) -> float:
    """The duration of that name, no longer than `longest`. Raises InvalidInput (code `bad-request`)."""
    value = body.get(name)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= longest:
        raise _bad(name)
    return float(value)


def same_pair(state: NodeState, body: Json) -> None:
    """Returns where the request is about the pair that this node is in. Raises NotAllowed (code `other-pair`)."""
    if state.pair_id is None or body.get("pair_id") != state.pair_id:
        raise NotAllowed(
            "other-pair",
            "The Other Server Is Not in This Pair",
            detail="It has left the pair, or was paired anew.",
            hint="Compare the HA status of both servers.",
        )


def _bad(name: str) -> InvalidInput:
    return InvalidInput("bad-request", "This Message Can't Be Understood", detail=f"`{name}` is missing or wrong.")
