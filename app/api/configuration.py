"""The HA configuration: applied and draft, saving and discarding the draft, and the pairing fingerprint."""

from __future__ import annotations

from flask import Response

from app.api.alerts import refuse_errors
from app.api.body import Resource
from app.api.door import needs, note_detail, recorded, visitor
from app.api.matching import MatchNeeded, if_match, matches, with_etag
from app.api.parts import node
from app.core.access import Scope, allows
from app.core.config import Config, Surroundings, check, complete, differences, with_changes
from app.core.errors import NotAllowed, Stale
from app.core.fields import FIELDS, Value
from app.core.masks import HIDDEN, masked, masked_differences
from app.core.plans import PREFLIGHT
from app.core.roles import TRANSITIONS
from app.core.scriptcheck import ScriptCheck
from app.ports import ConfigRecord, Json
from app.schemas.ha import ConfigSchema, DraftSchema, FingerprintSchema

resource = Resource("configuration", __name__, "The HA configuration")

IF_MATCH = if_match("the configuration")


def applied_values(record: ConfigRecord) -> dict[str, Value]:
    """The applied configuration; the role is the one that this node has, which a failover may just have changed."""
    return complete(record.applied) | {"HAServerRole": str(node().store.state().role)}


def surroundings(applied: Config, fingerprint: str) -> Surroundings:
    """What the rules must know of this server."""
    facts, store = node().machine.facts(), node().store
    return Surroundings(
        hostname=facts.hostname,
        addresses=facts.addresses,
        gateway=facts.gateway,
        tunnel_network=node().settings.tunnel_network,
        applied=applied,
        interfaces=facts.interfaces,
        fingerprint_generated=bool(fingerprint) and store.pairing_key(fingerprint) is not None,
        # A secondary whose primary has called already holds that primary as its peer: its fingerprint has done its
        # work for this very set-up, and APPLY here completes it.
        fingerprint_used=bool(fingerprint) and store.state().peer is None and store.pairing_key_retired(fingerprint),
    )


def check_draft(applied: Config, draft: Config) -> None:
    """Raises InvalidInput where the draft breaks a rule on this server as it is now."""
    check(draft, surroundings(applied, str(draft["HAPeerFingerprint"])))


def described(record: ConfigRecord) -> Json:
    """The configuration as the API shows it."""
    applied = applied_values(record)
    draft = None if record.draft is None else complete(record.draft)
    changes = [] if draft is None else differences(applied, draft)
    active = node().store.active_job()
    if active is not None and active.kind != PREFLIGHT:
        state = "applying"
    elif not changes:
        state = "applied"
    else:
        state = "failed" if record.failed else "draft"
    if not allows(visitor().scope, Scope.CONFIGURE) and draft is not None:
        draft["HAPeerFingerprint"] = HIDDEN if draft["HAPeerFingerprint"] else ""
        changes = differences(applied, draft)
    return {
        "state": state, "applied": applied, "draft": draft, "changes": changes, "fields_": FIELDS,
        "transitions": TRANSITIONS, "saved_by": record.saved_by, "saved_at": record.saved_at, "failed": record.failed,
    }  # fmt: skip


def shown(record: ConfigRecord, script_check: ScriptCheck | None = None) -> Response:
    """The configuration with its ETag, and what was found in a script that was saved."""
    return with_etag(ConfigSchema().dump({**described(record), "script_check": script_check}), str(record.version))


def matched_version(record: ConfigRecord) -> int | None:
    """The version that If-Match names; None without If-Match. Raises Stale where it is not the stored one."""
    found = matches(str(record.version))
    if found is False:
        raise Stale("stale-draft", "The Draft", record.saved_by or "hapair")
    return record.version if found else None


def save(draft: Json | None, version: int | None) -> ConfigRecord:
    """Raises Stale where somebody was faster."""
    return node().store.save_draft(draft, version, visitor().actor)


def refuse_while_applying() -> None:
    active = node().store.active_job()
    if active is not None and active.kind != PREFLIGHT:
        raise NotAllowed(
            "job-running",
            "A Job Is Running",
            detail=f"The configuration can't be changed while the job {active.kind} ({active.id}) is {active.state}.",
            hint="Wait until it has ended.",
        )


@resource.route("/ha/config", methods=["GET"])
@needs(Scope.READ)
@resource.response(200, ConfigSchema)
def show_config() -> Response:
    """Applied configuration, draft, differences and the declaration of each field; the ETag is needed for saving."""
    return shown(node().store.config())


@resource.route("/ha/config/draft", methods=["PUT"])
@needs(Scope.CONFIGURE)
@recorded("draft-saved")
@resource.arguments(DraftSchema)
@resource.doc(parameters=[{**IF_MATCH, "required": True}])
@resource.response(200, ConfigSchema)
@resource.alt_response(409, description="A job is running")
@resource.alt_response(412, description="The configuration has changed since")
@resource.alt_response(428, description="If-Match is missing")
def save_draft(changes: dict[str, Value | None]) -> Response:
    """Save a draft: the applied configuration with these fields changed. Nothing takes effect before APPLY."""
    record = node().store.config()
    version = matched_version(record)
    if version is None:
        raise MatchNeeded("/ha/config")
    refuse_while_applying()
    applied = applied_values(record)
    draft = with_changes(applied, changes)
    changed = differences(applied, draft)
    note_detail(changes=masked_differences(changed))
    found = None
    if changed:
        check_draft(applied, draft)
        found = checked_script(applied, draft)
    # A draft without differences is no draft: it would only look like unfinished work.
    return shown(save(draft if changed else None, version), found)


def checked_script(applied: Config, draft: Config) -> ScriptCheck | None:
    """What was found in a custom script that has changed; errors refuse it."""
    script = str(draft["HAAdminAlertScript"])
    if not script or script == applied["HAAdminAlertScript"]:
        return None
    found = node().script_checker.check(script)
    refuse_errors(found, "HAAdminAlertScript")
    return found


@resource.route("/ha/config/draft", methods=["DELETE"])
@needs(Scope.CONFIGURE)
@recorded("draft-discarded")
@resource.doc(parameters=[IF_MATCH])
@resource.response(200, ConfigSchema)
@resource.alt_response(409, description="A job is running")
@resource.alt_response(412, description="The configuration has changed since")
def discard_draft() -> Response:
    """Discard the draft; the applied configuration stays."""
    record = node().store.config()
    version = matched_version(record)
    refuse_while_applying()
    if record.draft is None and version is None:
        return shown(record)
    return shown(save(None, version))


@resource.route("/ha/fingerprint", methods=["POST"])
@needs(Scope.CONFIGURE)
@recorded("fingerprint-generated")
@resource.response(200, FingerprintSchema)
def generate_fingerprint() -> dict[str, str]:
    """Generate a Peer Authentication Fingerprint on the primary-to-be; an older unused one is worth nothing then."""
    key = node().pairing.generate_pairing_key()
    node().store.save_pairing_key(key.fingerprint, node().keys.seal(key.private_key))
    note_detail(fingerprint=masked("HAPeerFingerprint", key.fingerprint))
    return {"HAPeerFingerprint": key.fingerprint}
