"""The keyboard as the only way: Tab to get somewhere, Enter and arrows to act, and always to see where one is."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.browser.consoles import Console

STOPS_MAX = 90
"""More than any page of the console has."""

SEEN = """element => {
  const box = element.getBoundingClientRect();
  const x = box.left + Math.min(box.width / 2, 20), y = box.top + Math.min(box.height / 2, 10);
  const top = document.elementFromPoint(x, y);
  const inside = top !== null && (element.contains(top) || top.contains(element));
  return element.matches(':focus-visible') && inside;
}"""
"""Whether the browser draws the focus there, and nothing lies over it."""


def tab_to(target: Locator) -> None:
    """The focus is there, by Tab alone, and is seen there."""
    target.wait_for()
    keyboard = target.page.keyboard
    for _ in range(STOPS_MAX):
        if target.evaluate("element => element === document.activeElement"):
            assert target.evaluate(SEEN), f"the focus can't be seen at {target}"
            return
        keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {target}")


class KeyboardConsole(Console):
    """A console whose administrator has no mouse."""

    def press(self, target: Locator) -> None:
        expect(target).to_be_enabled()
        tab_to(target)
        self.page.keyboard.press("Enter")

    def write(self, target: Locator, text: str) -> None:
        tab_to(target)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)
        expect(target).to_have_value(text)

    def choose(self, choice: Locator) -> None:
        group = self.page.get_by_role("radiogroup").filter(has=choice)
        tab_to(group.get_by_role("radio", checked=True))
        for _ in range(group.get_by_role("radio").count()):
            if choice.is_checked():
                return
            self.page.keyboard.press("ArrowDown")
        expect(choice).to_be_checked()

    def expect_focus_in_page(self) -> None:
        """The focus is somewhere in the page, not lost with what was there before."""
        expect(self.page.locator("body")).not_to_be_focused()
