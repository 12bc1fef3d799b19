"""The manual's whole workflow by the keyboard alone: `python -m pytest tests/browser/by_keyboard.py`.

It is not part of `make test`, which clicks through the same workflow: each of its hundreds of stops takes its time.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.keyboard import KeyboardConsole
from tests.browser.test_pair import see_a_failover, set_up
from tests.conftest import MakeServers

pytestmark = [pytest.mark.browser, pytest.mark.lab]


def test_a_pair_is_set_up_seen_failing_over_live_swapped_and_torn_down_by_keyboard_alone(
    make_servers: MakeServers, chromium: Browser
) -> None:
    pair = make_servers(paired=False)
    alpha, beta = (KeyboardConsole(chromium, pair.hosts[host]) for host in ("a", "b"))
    set_up(alpha, beta)

    see_a_failover(pair, beta)
    alpha.expect_status("stable", "secondary")

    beta.swap()
    beta.expect_message("The roles are swapped")
    beta.expect_focus_in_page()
    alpha.expect_status("stable", "primary")
    beta.expect_status("stable", "secondary")

    alpha.open("HA Configuration")
    alpha.choose_role("standalone")
    alpha.save()
    alpha.apply(confirm=True)
    alpha.expect_message("The pair is ended.")
    alpha.expect_focus_in_page()
    alpha.open("Status")
    alpha.expect_status("standalone", "standalone")
    beta.expect_status("standalone", "standalone")
    for console in (alpha, beta):
        console.close()
