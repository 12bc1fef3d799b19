"""What an administrator does in the two consoles of a lab's servers: with the mouse, or by the keyboard alone."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect

LOAD_TIMEOUT_MS = 20_000
JOB_TIMEOUT_MS = 180_000
STATUS_TIMEOUT_MS = 60_000
INITIALIZED = "HA setup change has initialized successfully."


class Console:
    """The console of one server in a browser profile of its own, logged in and used with the mouse."""

    def __init__(self, chromium: Browser, host: dict[str, Any]) -> None:
        self.host = host
        # The lab's certificates are signed by the lab itself.
        self._context = chromium.new_context(
            ignore_https_errors=True, reduced_motion="reduce", viewport={"width": 1280, "height": 900}
        )
        self._context.set_default_timeout(LOAD_TIMEOUT_MS)
        self.page: Page = self._context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self._listen(said.text))
        self.page.goto(host["url"])
        self.write(self.page.get_by_label("User name"), host["username"])
        self.write(self.page.get_by_label("Password"), host["password"])
        self.press(self.page.get_by_role("button", name="Log in"))
        expect(self.page.get_by_test_id("hostname")).to_have_text(host["hostname"])

    def _listen(self, text: str) -> None:
        if "Content Security Policy" in text:
            self.complaints.append(text)

    def close(self) -> None:
        self._context.close()
        assert self.complaints == []

    def press(self, target: Locator) -> None:
        target.click()

    def write(self, target: Locator, text: str) -> None:
        """That text stands in the field in place of what was there."""
        target.fill(text)

    def choose(self, choice: Locator) -> None:
        """That radio button is the chosen one of its group."""
        choice.check()

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    def open(self, title: str) -> None:
        self.press(self.page.get_by_role("navigation", name="Pages").get_by_role("link", name=title, exact=True))
        expect(self.page.get_by_role("heading", level=1)).to_have_text(title)

    def choose_role(self, role: str) -> None:
        self.choose(self.page.get_by_role("radio", name=role))

    def fill(self, **fields: str) -> None:
        """Fields by the manual's names."""
        for name, value in fields.items():
            self.write(self.page.locator(f"#{name}"), value)

    def open_advanced(self) -> None:
        self.press(self.page.get_by_role("button", name="Advanced"))

    def generate(self) -> str:
        """The fingerprint that GENERATE has put into the form."""
        self.press(self.page.get_by_role("button", name="GENERATE"))
        field = self.page.locator("#HAPeerFingerprint")
        expect(field).not_to_have_value("")
        return field.input_value()

    def save(self) -> None:
        self.press(self.page.get_by_role("button", name="SAVE"))
        expect(self.page.get_by_test_id("draft-state")).to_contain_text("This is a draft")

    def apply(self, *, confirm: bool = False) -> None:
        """APPLY is pressed and its checks have passed; the job runs in the dialogue."""
        self.press(self.page.get_by_role("button", name="APPLY"))
        press = self.dialog.get_by_role("button", name="APPLY", exact=True)
        if confirm:
            self.write(self.dialog.get_by_label("to confirm"), self.host["hostname"])
        expect(press).to_be_enabled(timeout=STATUS_TIMEOUT_MS)
        self.press(press)

    def swap(self) -> None:
        """From the status page; the job runs in the dialogue."""
        self.press(self.page.get_by_role("button", name="Swap roles"))
        self.press(self.dialog.get_by_role("button", name="Swap roles"))

    def expect_message(self, text: str) -> None:
        """The job in the dialogue ends with that message; the dialogue is closed."""
        expect(self.page.get_by_test_id("job-message")).to_contain_text(text, timeout=JOB_TIMEOUT_MS)
        self.press(self.dialog.get_by_role("button", name="Close").last)
        expect(self.dialog).to_have_count(0)

    def expect_status(self, word: str, role: str) -> None:
        """Without loading the page again: the tab's title follows the pair."""
        expect(self.page).to_have_title(
            f"Status · {self.host['hostname']} · {role} · {word}", timeout=STATUS_TIMEOUT_MS
        )
