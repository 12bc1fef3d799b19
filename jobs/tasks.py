"""The only names that RQ imports."""

from __future__ import annotations

from functools import cache

from app.ports import Node
from app.settings import read_settings
from app.wiring import build_node
from jobs import runner


@cache
def node() -> Node:
    """The parts of this node, put together once in each worker."""
    return build_node(read_settings())


def run_job(job_id: str) -> str:
    """The job with this number has ended; how it ended."""
    ended = runner.run(node(), job_id)
    return "unknown" if ended is None else ended.state
