"""All calls of the description, each tried on a server of its own."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from app.api.described import ACCESS
from tests.described.examples import Switch, broken_promises, operations_of
from tests.described.stage import Scene, Stage, administrator


class Rehearsal:
    """The calls of a server in that state."""

    def __init__(self, folder: Path, scene: Scene) -> None:
        self._stage = Stage(folder, scene)
        with self._stage.opened() as world:
            self._switch = Switch(world.app)
            self._operations = operations_of(self._switch)
        self.calls = list(self._operations)

    def broken_promises(self, call: str, examples: int, number: int) -> tuple[list[str], Counter[int]]:
        """See tests.described.examples."""
        operation = self._operations[call]
        in_person = operation.definition.raw.get(ACCESS) == "session"
        names = {each.name for each in operation.path_parameters}
        with self._stage.opened() as world:
            self._switch.app = world.app
            return broken_promises(
                operation, examples, number, lambda: administrator(world, in_person=in_person), self._stage.known(names)
            )
