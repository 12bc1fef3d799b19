"""Removes what a lab has left, in the one order that works, whether or not its keeper lives."""

from __future__ import annotations

import shutil

from tests.lab.disk import remove_mounts
from tests.lab.group import remove_groups
from tests.lab.network import remove_namespaces
from tests.lab.places import LabError, Places, all_labs, alone, is_alive


def remove_remains(lab: Places) -> None:
    """No process, namespace, mount, loop device, control group or file of the lab is left."""
    remove_groups(lab)
    remove_namespaces(lab)
    remove_mounts(lab)
    shutil.rmtree(lab.folder, ignore_errors=True)
    if lab.folder.exists():
        raise LabError(f"{lab.folder} could not be removed whole; something in it is still in use.")


def sweep() -> list[str]:
    """The names of the dead labs whose remains were removed: their keeper was killed before it could."""
    removed = []
    with alone():
        for lab in all_labs():
            if not is_alive(lab):
                remove_remains(lab)
                removed.append(lab.name)
    return removed
