"""The page System, and what the console leads to outside of itself."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import answers
from tests.browser.canned import problem
from tests.browser.conftest import MakeConsole

pytestmark = pytest.mark.browser

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def test_the_certificate_is_shown_with_its_end_and_its_fingerprint(page: Page, make_console: MakeConsole) -> None:
    page.goto(f"{make_console({}).url}/system")
    card = page.get_by_test_id("certificate")
    expect(card).to_contain_text("alpha, 10.77.1.11")
    expect(card).to_contain_text("hapair on alpha (this server itself)")
    expect(card).to_contain_text(answers.certificate()["fingerprint"])
    expect(card.get_by_text("The certificate ends")).to_have_count(0)


@pytest.mark.parametrize(
    ("days", "sentence"), [(12, "The certificate ends in 12 days."), (-1, "The certificate has ended")]
)
def test_the_end_of_the_certificate_is_said_in_good_time(
    page: Page, make_console: MakeConsole, days: int, sentence: str
) -> None:
    ending = answers.certificate(days_left=days)
    page.goto(f"{make_console({'GET /system/certificate': answers.always(ending)}).url}/system")
    expect(page.get_by_test_id("certificate")).to_contain_text(sentence)


def test_the_authority_is_handed_to_browsers_as_a_file(page: Page, make_console: MakeConsole) -> None:
    page.goto(f"{make_console({}).url}/system")
    with page.expect_download() as download:
        page.get_by_role("link", name="Authority for browsers").click()
    assert download.value.suggested_filename == "hapair-authority.pem"
    assert download.value.path().read_text() == answers.certificate()["authority"]


def test_a_certificate_that_does_not_fit_is_refused_at_its_field_and_a_right_one_is_shown(
    page: Page, make_console: MakeConsole
) -> None:
    refusal = problem(
        422, "certificate-refused", "The Certificate Was Not Taken", errors={"key": ["Does not belong to it."]}
    )
    console = make_console({"PUT /system/certificate": lambda _request: refusal})
    page.goto(f"{console.url}/system")
    page.get_by_role("button", name="Replace…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Certificate", exact=False).last.fill(PEM)
    dialog.get_by_label("Private key").fill("nonsense")
    dialog.get_by_role("button", name="Replace", exact=True).click()
    expect(dialog.locator("#key-help")).to_contain_text("Does not belong to it.")
    taken = answers.certificate(issuer="Example Authority", made_here=False, authority=None)
    console.routes["PUT /system/certificate"] = answers.always(taken)
    dialog.get_by_role("button", name="Replace", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_test_id("certificate")).to_contain_text("Example Authority")
    assert console.sent("PUT /system/certificate", 2)[-1]["body"] == {"certificate": PEM, "key": "nonsense"}


def test_a_new_certificate_is_made_after_it_was_said_what_that_does(page: Page, make_console: MakeConsole) -> None:
    renewed = answers.certificate(fingerprint=":".join(["CD"] * 32))
    console = make_console({"POST /system/certificate/renew": answers.always(renewed)})
    page.goto(f"{console.url}/system")
    page.get_by_role("button", name="Make a new one…").click()
    expect(page.get_by_test_id("act-explanation")).to_contain_text("serves it at once")
    page.get_by_role("dialog").get_by_role("button", name="Make it").click()
    expect(page.get_by_test_id("certificate")).to_contain_text(renewed["fingerprint"])


@pytest.mark.parametrize(
    ("path", "link", "target"),
    [("/jobs", "Queue of the worker (RQ dashboard)", "/dashboard/"), ("/system", "What the API", "/api/v1/docs")],
)
def test_the_dashboard_and_the_description_of_the_api_are_a_link_away_on_the_same_server(
    page: Page, make_console: MakeConsole, path: str, link: str, target: str
) -> None:
    page.goto(make_console({}).url + path)
    expect(page.get_by_role("link", name=link)).to_have_attribute("href", target)
