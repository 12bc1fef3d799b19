"""Where alerts go from this server: mail server and webhook, trials of each, and checks of the custom script."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from flask import Response

from app.api.body import Resource
from app.api.door import needs, note_detail, recorded, visitor
from app.api.matching import MatchNeeded, if_match, matches, with_etag
from app.api.parts import node
from app.core.access import Scope, allows
from app.core.alertsettings import (
    MailSettings,
    Security,
    WebhookSettings,
    mail_errors,
    mail_warnings,
    webhook_warnings,
)
from app.core.errors import InvalidInput, NotAllowed, NotFound
from app.core.notices import Channel
from app.core.scriptcheck import ScriptCheck
from app.ports import AlertTest, ConfigRecord, Json
from app.schemas.alerts import (
    AlertSettingsSchema,
    AlertTestAnswerSchema,
    AlertTestSchema,
    AlertTestsSchema,
    MailInputSchema,
    ScriptCheckSchema,
    ScriptInputSchema,
    TestMailSchema,
    TestScriptSchema,
    WebhookInputSchema,
)
from jobs import alertsettings
from jobs.alertsettings import MAIL_NOTE, WEBHOOK_NOTE

resource = Resource("alerts", __name__, "Alerts")

WAITING = ("pending", "claimed")
BOUND_TO = ("host", "port", "username")
"""A password is for this login at this server: with another one it must be given anew, so that nobody can have a
password that they don't know sent to a server of theirs."""
IF_MATCH = if_match("the alert settings")


@resource.route("/ha/alerts", methods=["GET"])
@needs(Scope.READ)
@resource.response(200, AlertSettingsSchema)
def show_alerts() -> Response:
    """Mail server and webhook of this server, without their secrets, and how much waits to go out; the ETag is needed
    for saving."""
    return _answer()


def _answer() -> Response:
    # The version is read first: of a change in between the next save is told.
    version = _version()
    return with_etag(AlertSettingsSchema().dump(_shown()), version)


def _version() -> str:
    """Of mail and webhook together, as they are shown together."""
    return f"{alertsettings.version(node(), MAIL_NOTE)}-{alertsettings.version(node(), WEBHOOK_NOTE)}"


def seen_version(note: str) -> int | None:
    """The version of these settings that the caller has seen; None without If-Match. Raises Stale where what was seen
    is no longer what is saved."""
    version = alertsettings.version(node(), note)
    found = matches(_version())
    if found is False:
        raise alertsettings.stale(_authors())
    return version if found else None


def needed_version(note: str) -> int:
    """As `seen_version`, where If-Match may not be missing. Raises MatchNeeded."""
    seen = seen_version(note)
    if seen is None:
        raise MatchNeeded("/ha/alerts")
    return seen


def _authors() -> str:
    notes = [each for each in (MAIL_NOTE, WEBHOOK_NOTE) if alertsettings.version(node(), each)]
    return " and ".join(sorted({alertsettings.saved_by(node(), each) for each in notes})) or alertsettings.NOBODY


def _forget(note: str) -> Response:
    alertsettings.forget(node(), note, by=visitor().actor.name, expected=seen_version(note))
    return _answer()


def _shown() -> Json:
    found, mail, webhook = node(), alertsettings.mail_settings(node()), alertsettings.webhook_settings(node())
    counts = found.store.delivery_counts()
    return {
        "mail": {
            **vars(mail),
            "password_set": alertsettings.has_secret(found, MAIL_NOTE),
            "saved": alertsettings.is_saved(found, MAIL_NOTE),
            "to": found.store.config().applied.get("HAAlertEmail") or "",
            "warnings": mail_warnings(mail),
        },
        "webhook": None if webhook is None else _shown_webhook(webhook),
        "waiting": {each.value: sum(counts.get((each.value, state), 0) for state in WAITING) for each in Channel},
    }


def _shown_webhook(webhook: WebhookSettings) -> Json:
    has_secret = alertsettings.has_secret(node(), WEBHOOK_NOTE)
    whole = allows(visitor().scope, Scope.CONFIGURE)
    return {
        "url": webhook.url if whole else f"{server_of(webhook.url)}/…",
        "secret_set": has_secret,
        "authority": webhook.authority,
        "warnings": webhook_warnings(webhook, has_secret=has_secret),
    }


def server_of(url: str) -> str:
    """The part of an address that is no secret: receivers like to put theirs into the path."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@resource.route("/ha/alerts/mail", methods=["PUT"])
@needs(Scope.CONFIGURE)
@recorded("alert-mail-saved")
@resource.arguments(MailInputSchema)
@resource.doc(parameters=[{**IF_MATCH, "required": True}])
@resource.response(200, AlertSettingsSchema)
@resource.alt_response(412, description="The alert settings have changed since")
@resource.alt_response(428, description="If-Match is missing")
def save_mail(body: Json) -> Response:
    """Set the mail server of this server. The password is kept sealed and never shown again."""
    seen = needed_version(MAIL_NOTE)
    password = body.pop("password")
    settings = MailSettings(**{**body, "security": Security(body["security"])})
    before = alertsettings.mail_settings(node())
    kept = alertsettings.has_secret(node(), MAIL_NOTE) and password is None
    note_detail(changes=_changes(asdict(before), asdict(settings)))
    note_detail(password="kept" if kept else "set" if password else "none")
    if kept and any(getattr(before, name) != getattr(settings, name) for name in BOUND_TO):
        raise _invalid({"password": ["Type the password again: it is for another server or login."]})
    errors = mail_errors(settings, has_password=kept or bool(password))
    if errors:
        raise _invalid(errors)
    alertsettings.save(node(), settings, password, by=visitor().actor.name, expected=seen)
    return _answer()


@resource.route("/ha/alerts/mail", methods=["DELETE"])
@needs(Scope.CONFIGURE)
@recorded("alert-mail-forgotten")
@resource.doc(parameters=[IF_MATCH])
@resource.response(200, AlertSettingsSchema)
@resource.alt_response(412, description="The alert settings have changed since")
def forget_mail() -> Response:
    """Back to the mail server that the installation was given; the password is forgotten."""
    return _forget(MAIL_NOTE)


@resource.route("/ha/alerts/webhook", methods=["PUT"])
@needs(Scope.CONFIGURE)
@recorded("webhook-saved")
@resource.arguments(WebhookInputSchema)
@resource.doc(parameters=[{**IF_MATCH, "required": True}])
@resource.response(200, AlertSettingsSchema)
@resource.alt_response(412, description="The alert settings have changed since")
@resource.alt_response(428, description="If-Match is missing")
def save_webhook(body: Json) -> Response:
    """Set where each event is posted. The secret signs the calls; it is kept sealed and never shown again."""
    seen = needed_version(WEBHOOK_NOTE)
    settings = WebhookSettings(body["url"], body["authority"])
    before = alertsettings.webhook_settings(node())
    note_detail(changes=_changes({} if before is None else asdict(before), asdict(settings)))
    alertsettings.save(node(), settings, body["secret"], by=visitor().actor.name, expected=seen)
    note_detail(secret_set=alertsettings.has_secret(node(), WEBHOOK_NOTE))
    return _answer()


@resource.route("/ha/alerts/webhook", methods=["DELETE"])
@needs(Scope.CONFIGURE)
@recorded("webhook-forgotten")
@resource.doc(parameters=[IF_MATCH])
@resource.response(200, AlertSettingsSchema)
@resource.alt_response(412, description="The alert settings have changed since")
def forget_webhook() -> Response:
    """Events are posted nowhere any more."""
    return _forget(WEBHOOK_NOTE)


def _changes(before: Json, after: Json) -> list[Json]:
    """What the journal keeps of a change: of the webhook's address no more than its server."""
    return [
        {"field": name, "from": _masked(name, before.get(name, "")), "to": _masked(name, value)}
        for name, value in after.items()
        if before.get(name, "") != value
    ]


def _masked(name: str, value: Any) -> Any:
    if name == "url" and value:
        return f"{server_of(value)}/…"
    return "a certificate" if name == "authority" and value else value


@resource.route("/ha/alerts/mail/test", methods=["POST"])
@needs(Scope.CONFIGURE)
@recorded("test-mail")
@resource.arguments(TestMailSchema)
@resource.response(202, AlertTestAnswerSchema)
@resource.alt_response(409, description="No address to send it to, or too many tests wait")
def test_mail(body: Json) -> dict[str, AlertTest]:
    """Send a test mail by the saved settings; the answer's test tells how it went."""
    record = node().store.config()
    to = body["to"] or _of_draft_or_applied(record, "HAAlertEmail")
    if not to:
        raise NotAllowed(
            "no-address",
            "There Is No Address To Send It To",
            detail="HAAlertEmail is empty.",
            hint="Give an address in `to`, or save HAAlertEmail first.",
        )
    note_detail(to=to)
    return _started(Channel.MAIL, {"to": to})


@resource.route("/ha/alerts/webhook/test", methods=["POST"])
@needs(Scope.CONFIGURE)
@recorded("test-webhook")
@resource.response(202, AlertTestAnswerSchema)
@resource.alt_response(409, description="No webhook is saved, or too many tests wait")
def test_webhook() -> dict[str, AlertTest]:
    """Post a test event to the saved webhook; the answer's test tells how it went."""
    if alertsettings.webhook_settings(node()) is None:
        raise NotAllowed(
            "no-webhook", "There Is No Webhook", detail="Nothing is saved.", hint="Save the webhook's address first."
        )
    return _started(Channel.WEBHOOK, {})


@resource.route("/ha/alerts/script/test", methods=["POST"])
@needs(Scope.CONFIGURE)
@recorded("test-script")
@resource.arguments(TestScriptSchema)
@resource.response(202, AlertTestAnswerSchema)
@resource.alt_response(409, description="There is no script, or too many tests wait")
def test_script(body: Json) -> dict[str, AlertTest]:
    """Run the custom script as root with sample parameters of an event; HA_TEST=1 tells it that this is a test."""
    script = body["script"] or _of_draft_or_applied(node().store.config(), "HAAdminAlertScript")
    if not script:
        raise NotAllowed(
            "no-script", "There Is No Script", detail="HAAdminAlertScript is empty.", hint="Write and save one first."
        )
    note_detail(event=body["event"])
    refuse_errors(node().script_checker.check(script), "script")
    return _started(Channel.SCRIPT, {"event": body["event"], "script": script})


@resource.route("/ha/alerts/tests", methods=["GET"])
@needs(Scope.READ)
@resource.response(200, AlertTestsSchema)
def list_tests() -> dict[str, list[AlertTest]]:
    """The last tests of this server, newest first."""
    return {"items": node().store.alert_tests()}


@resource.route("/ha/alerts/tests/<test_id>", methods=["GET"])
@needs(Scope.READ)
@resource.response(200, AlertTestSchema)
@resource.alt_response(404, description="No such test")
def show_test(test_id: str) -> AlertTest:
    """One test, and how it went once it has ended."""
    found = node().store.alert_tests(test_id)
    if not found:
        raise NotFound("no-such-test", "No Such Test", detail="There is no test with this id on this server.")
    return found[0]


@resource.route("/ha/alerts/script/check", methods=["POST"])
@needs(Scope.CONFIGURE)
@resource.arguments(ScriptInputSchema)
@resource.response(200, ScriptCheckSchema)
def check_script(body: dict[str, str]) -> ScriptCheck:
    """What bash and shellcheck find in a script; nothing is run and nothing is saved."""
    return node().script_checker.check(body["script"])


def refuse_errors(found: ScriptCheck, field: str) -> None:
    """Raises InvalidInput where the script has errors."""
    if not found.ok:
        raise InvalidInput(
            "script-wrong",
            "The Script Has Errors",
            detail="It would fail when it is needed.",
            hint="Mend the lines that are named. Where shellcheck is wrong, say so above the line:"
            " # shellcheck disable=SC….",
            errors={field: found.sentences()},
        )


def _of_draft_or_applied(record: ConfigRecord, name: str) -> str:
    return str((record.draft or {}).get(name) or record.applied.get(name) or "")


def _started(channel: Channel, arguments: Json) -> dict[str, Any]:
    test = node().store.add_alert_test(channel.value, arguments, visitor().actor)
    note_detail(test=test.id)
    return {"test": test}


def _invalid(errors: dict[str, list[str]]) -> InvalidInput:
    return InvalidInput("invalid-fields", "Some Fields Are Not Valid", errors=errors)
