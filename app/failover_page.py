"""Writes docs/failover.md from the tables of the core: `python -m app.failover_page > docs/failover.md`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from app.core import acts
from app.core.acts import Act
from app.core.diagnosis import PRIMARY_ROWS, SECONDARY_ROWS, Row
from app.core.events import EVENTS
from app.core.failover import ANNOUNCED_BOUND_S, RULES
from app.core.fences import EXITS
from app.core.replication import KINDS, MARIADB_ERRORS
from app.core.status import PROMISES, WORDS

INTRODUCTION = """# How the pair decides

Made from the tables in `app/core` by `python -m app.failover_page > docs/failover.md`; a test compares the two.

## Words

- **Term**: a whole number that each server keeps durably. To become primary is to write `term + 1` before the
  database accepts a write. The rightful primary is the one with the highest term; what carries a lower one is
  refused.
- **Fenced**: the server refuses application writes: its database is read-only and clients are closed. Every
  fence has a reason and an exit.
- **Eligible**: a secondary that was connected and caught up since its own last start, and is in sync. Only an
  eligible secondary takes over by itself.
- **Detection window**: `HAPingIterations` times `HAPingInterval`, 180 s by default and 2 s at least.
- **Life sign**: a heartbeat (asked or answered) or something on the replication stream. An answered ping is
  none: the kernel of a frozen or half-dead server still answers.

## Start

Every server boots fenced: MariaDB's own configuration says `read_only`, and only the monitor lifts it. A
standalone server is lifted at once, a secondary never. A primary asks its peer first: a higher term makes it
rejoin; a secondary of its own term proves that it may write; silence proves nothing, unless it had durably
recorded before that its standby was out.
"""

ANNOUNCED = """What the primary had announced in its last heartbeat counts for {announced_min} minutes, also if it died
a moment later: it may have been a swap or a teardown that ended well beyond a broken link. So where a primary dies
while a job runs on it, or within a heartbeat after the job, the secondary does not take over by itself before that; the
status says so, and a takeover by hand is possible at once. A dry run is not announced, for it changes nothing.
"""

LIMITS = """## What two servers can't promise

A server can't tell "the other one is dead" from "the link to it is cut". If only the link between the two is
cut while both see their gateways, the secondary takes over beside a living primary. The ways out are the
protection modes:

{modes}
- In `availability`, a primary that loses its standby first records durably that the standby is out of the pair,
  and only then lets commits go on. It does so only after its gateway or a ping target has answered *since* the
  standby was last heard. A primary that hears nobody never acknowledges a write alone.
- In `protection` this never happens by itself: after the loss of either server writes wait until it is back, or
  until an administrator lets it go.
- When the link is back, the higher term wins. What only the other server has is rescued (readable SQL, binary
  logs, files) before it follows again.

A primary that hears neither its standby nor its gateway nor any ping target fences itself one ping interval
before the window of its standby can end. A server without a gateway and without ping targets can never tell
that its own network works: its secondary never takes over by itself, and its primary stops when it loses the
standby. Give such a pair a ping target.
"""

SIMULATION = """## How this is shown

`make simulate N=10000` runs the real core of both servers through a fake world: lost, delayed and doubled
messages, late answers, one-way cuts, crashes at any step (also in the middle of a takeover or of a swap), pauses,
full and slow disks, drifting clocks, swaps, takeovers and teardowns by hand, clients that write rows and files.
What breaks is shrunk to the least that still does, and says by which command it is told again.
`tests/simulation/transcripts` holds the main stories as text, `tests/simulation/mutants.py` the breakages of
the core that the simulation must catch.
"""


def page() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield INTRODUCTION
    yield "## What the secondary concludes\n"
    yield from _diagnoses(SECONDARY_ROWS)
    yield "\n## What the primary concludes\n"
    yield from _diagnoses(PRIMARY_ROWS)
    yield "\nThe first row whose facts hold is the diagnosis; where none does, it is `healthy`.\n"
    yield "## When the secondary takes over\n"
    yield "Only if all of these hold; otherwise the status page names the first that does not.\n"
    yield from _table(("rule", "what must hold"), ((f"`{name}`", text) for name, text in RULES))
    yield "\n" + ANNOUNCED.format(announced_min=round(ANNOUNCED_BOUND_S / 60))
    yield LIMITS.format(modes="\n".join(f"- `{mode}`: {promise}" for mode, promise in PROMISES.items()))
    yield "## Fences and their exits\n"
    yield from _table(("reason", "meaning", "exit"), ((f"`{row.reason}`", row.meaning, row.exit) for row in EXITS))
    yield "\n## What the pilot can do\n"
    yield from _table(("act", "afterwards"), ((f"`{kind.__name__}`", _first_sentence(kind)) for kind in act_kinds()))
    yield "\n## Replication errors\n"
    yield "Each raises `RaiseAlarm` once and `ClearAlarm` once, when replication works again.\n"
    numbers = {kind.code: sorted(n for n, code in MARIADB_ERRORS.items() if code == kind.code) for kind in KINDS}
    yield from _table(
        ("condition", "text", "MariaDB's numbers", "what to do"),
        ((f"`{kind.code}`", kind.title, ", ".join(map(str, numbers[kind.code])), kind.advice) for kind in KINDS),
    )
    yield "\n## Events\n"
    yield "What the custom script gets, and on which server it runs (the role that it has when the event begins).\n"
    yield from _table(
        ("event", "runs on", "parameters", "from"),
        (
            (row.title, row.runs_on.value, " ".join(f"`{each}`" for each in row.parameters),
             "the manual" if row.from_manual else "hapair; only if `HAStandbyOnlineEvent` is on")
            for row in EVENTS
        ),
    )  # fmt: skip
    yield "\n## Status words\n"
    yield from _table(("word", "meaning"), ((f"`{word}`", meaning) for word, meaning in WORDS))
    yield "\n" + SIMULATION.rstrip("\n")


def act_kinds() -> list[type[Act]]:
    """Every act, in the order of its declaration."""
    return [
        each for each in vars(acts).values() if isinstance(each, type) and issubclass(each, Act) and each is not Act
    ]


def _diagnoses(rows: Sequence[Row]) -> Iterator[str]:
    return _table(
        ("diagnosis", "facts", "meaning", "what is done"),
        ((f"`{row.name}`", row.facts, row.sentence, row.act) for row in rows),
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _first_sentence(kind: type[Act]) -> str:
    text = " ".join((kind.__doc__ or "").split())
    return text.split(". ")[0].rstrip(".") + "."


if __name__ == "__main__":
    print(page(), end="")
