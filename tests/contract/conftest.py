"""Real servers that several contract tests share: they are started once, when the first test asks for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.mariadb_servers import RealServer, two_servers, unavailable


@pytest.fixture(scope="session")
def real_servers() -> Iterator[tuple[RealServer, RealServer]]:
    if reason := unavailable():
        pytest.skip(reason)
    with two_servers() as servers:
        yield servers
