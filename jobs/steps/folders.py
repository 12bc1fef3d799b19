"""Folders beside the database's data folder: where a copy is received, and where the own data is kept."""

from __future__ import annotations

from app.ports import Node

STAGING = ".seed-"
ASIDE = ".aside-"


def staging_folder(node: Node, job_id: str) -> str:
    """On the same file system as the data folder, so that putting it in place is a rename."""
    return f"{node.settings.database_dir}{STAGING}{job_id}"


def aside_folder(node: Node, job_id: str) -> str:
    return f"{node.settings.database_dir}{ASIDE}{job_id}"
