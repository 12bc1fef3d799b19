"""The HA configuration: defaults, differences, the rules between fields, and what the two servers have in common.

A configuration is a mapping from the manual's field names to clean values (see app.core.fields); what is missing has
its default. Everything that the rules need to know of this server is in `Surroundings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from app.core.errors import InvalidInput
from app.core.fields import BY_NAME, FIELDS, PING_MONITORS, Field, Scope, Value
from app.core.roles import Role
from app.core.values import clean_host_name, ip_address
from app.core.virtual_address import Interface, beyond_the_peer, misplaced, read

Config = Mapping[str, Any]
PAIR_FIELDS = ("HAServerAddress", "HAPeerAddress", "HAPeerFingerprint")
"""What the pair was made with; to change it is to make a new pair."""


BEYOND_THE_PEER = (
    "Can't move to the other server: HAPeerAddress {peer} is not in {network}, and an address works in one subnet only."
    " Leave it empty for servers in two subnets, and let the HA Custom Script change a DNS name."
)


@dataclass(frozen=True)
class Surroundings:
    """What this server is, apart from its HA configuration."""

    hostname: str
    addresses: tuple[str, ...]
    gateway: str | None
    tunnel_network: str
    """ManagementTunnelNetwork as CIDR, or empty."""
    applied: Config
    fingerprint_generated: bool = False
    """The configuration's fingerprint was generated on this server and is unused."""
    fingerprint_used: bool = False
    interfaces: tuple[Interface, ...] = ()


@dataclass(frozen=True)
class Difference:
    """One changed field."""

    field: str
    before: Value
    after: Value


def complete(config: Config) -> dict[str, Value]:
    """All fields in the order of the panel; those that `config` lacks have their defaults."""
    return {each.name: config.get(each.name, each.default) for each in FIELDS}


def role_of(config: Config) -> Role:
    return Role(config.get("HAServerRole", Role.STANDALONE))


def differences(applied: Config, draft: Config) -> list[Difference]:
    """The fields that the draft changes, in the order of the panel."""
    before, after = complete(applied), complete(draft)
    return [Difference(name, before[name], after[name]) for name in before if before[name] != after[name]]


def with_changes(applied: Config, changes: Mapping[str, Value | None]) -> dict[str, Value]:
    """The applied configuration with some fields changed; None takes a field back to its default."""
    draft = complete(applied)
    for name, value in changes.items():
        draft[name] = BY_NAME[name].default if value is None else value
    return draft


def rebased(draft: Config, before: Config, now: Config) -> dict[str, Value] | None:
    """The draft after the applied configuration has changed under it: what its author changed stays changed, all else
    follows. None where no difference is left. So a failover does not turn a draft of settings into a change of role.
    """
    wanted = {each.field: each.after for each in differences(before, draft)}
    new = complete(now) | wanted
    return new if differences(now, new) else None


# --- rules ------------------------------------------------------------------------------------------------------


def check(config: Config, surroundings: Surroundings) -> None:
    """Returns where the configuration keeps the manual's rules on this server.

    Raises InvalidInput (code `invalid-configuration`) with the sentences by field. Fields that the role does not use
    are not judged. Only what can be told without asking the network is: names are resolved by the preflight.
    """
    errors: dict[str, list[str]] = {}
    values = complete(config)
    role = role_of(config)
    if role is not Role.STANDALONE:
        _check_required(values, role, errors)
        _check_pair_kept(values, surroundings, errors)
        _check_addresses(values, surroundings, errors)
        _check_fingerprint(values, role, surroundings, errors)
        _check_virtual_address(values, surroundings, errors)
    _check_ping_monitors(values, surroundings, errors)
    if errors:
        raise InvalidInput(
            "invalid-configuration",
            "The Configuration Breaks Some Rules",
            detail=f"{_listed(errors)} can't be accepted; nothing was changed.",
            hint="Correct the named fields and save again.",
            errors=errors,
        )


def _listed(errors: Mapping[str, list[str]]) -> str:
    return ", ".join(sorted(errors))


def _add(errors: dict[str, list[str]], name: str, sentence: str) -> None:
    errors.setdefault(name, []).append(sentence)


def _check_required(values: Config, role: Role, errors: dict[str, list[str]]) -> None:
    for each in FIELDS:
        if each.required and role in each.roles and values[each.name] == "":
            _add(errors, each.name, f"A {role} server needs a value here.")


def _check_pair_kept(values: Config, surroundings: Surroundings, errors: dict[str, list[str]]) -> None:
    if role_of(surroundings.applied) is Role.STANDALONE:
        return
    applied = complete(surroundings.applied)
    for name in PAIR_FIELDS:
        if values[name] != applied[name]:
            _add(errors, name, "Can't be changed while the pair exists: apply the role standalone first.")


def _check_addresses(values: Config, surroundings: Surroundings, errors: dict[str, list[str]]) -> None:
    server, peer = values["HAServerAddress"], values["HAPeerAddress"]
    own = _own_names(surroundings)
    if peer and peer == server:
        _add(errors, "HAPeerAddress", "Must differ from HAServerAddress: it is the other server's.")
    elif peer in own:
        _add(errors, "HAPeerAddress", "Is an address or name of this server, and must be the other server's.")
    paired = role_of(surroundings.applied) is not Role.STANDALONE
    kept = paired and server == surroundings.applied.get("HAServerAddress")
    if ip_address(server) is not None and server not in own and not kept:
        _add(errors, "HAServerAddress", f"Is not an address of this server: {', '.join(surroundings.addresses)}.")


def _check_fingerprint(values: Config, role: Role, surroundings: Surroundings, errors: dict[str, list[str]]) -> None:
    fingerprint = values["HAPeerFingerprint"]
    kept = fingerprint == surroundings.applied.get("HAPeerFingerprint", "")
    paired = role_of(surroundings.applied) is not Role.STANDALONE
    if not fingerprint or (kept and paired):
        return
    if surroundings.fingerprint_used:
        _add(errors, "HAPeerFingerprint", "Has been used already; generate a new one on the primary server.")
    elif role is Role.PRIMARY and not surroundings.fingerprint_generated:
        _add(errors, "HAPeerFingerprint", "Was not generated on this server; select GENERATE here, on the primary.")
    elif role is Role.SECONDARY and surroundings.fingerprint_generated:
        _add(errors, "HAPeerFingerprint", "Was generated on this server; paste the value that the primary generated.")


def _check_virtual_address(values: Config, surroundings: Surroundings, errors: dict[str, list[str]]) -> None:
    wanted = read(values["HAVirtualAddress"])
    if wanted is None:
        return
    faults = list(misplaced(wanted, surroundings.interfaces))
    if wanted.address in _own_names(surroundings):
        faults.append("Is an address of this server already, and must be one that no server has.")
    if surroundings.gateway and wanted.address == _normal(surroundings.gateway):
        faults.append("Must be different from Gateway.")
    others = ("HAServerAddress", "HAPeerAddress", *PING_MONITORS)
    faults += [f"Must be different from {name}." for name in others if values[name] == wanted.address]
    if beyond_the_peer(wanted, str(values["HAPeerAddress"])):
        faults.append(BEYOND_THE_PEER.format(peer=values["HAPeerAddress"], network=wanted.network))
    for sentence in faults:
        _add(errors, "HAVirtualAddress", sentence)


def _check_ping_monitors(values: Config, surroundings: Surroundings, errors: dict[str, list[str]]) -> None:
    earlier: dict[str, str] = {}
    for name in PING_MONITORS:
        target = values[name]
        if not target or (role_of(values) is Role.STANDALONE and target == surroundings.applied.get(name)):
            # A target that has become wrong since it was applied must not keep a server from leaving its pair.
            continue
        for sentence in target_faults(target, values, surroundings):
            _add(errors, name, sentence)
        if target in earlier:
            _add(errors, name, f"Must be unique: {earlier[target]} has the same value.")
        earlier.setdefault(target, name)


def target_faults(target: str, values: Config, surroundings: Surroundings) -> list[str]:
    """The sentences that say why `target` can't confirm a failover on this server; none where it can."""
    faults = []
    if target in _own_names(surroundings):
        faults.append("Must be different from Hostname and IPAddress of this server.")
    if surroundings.gateway and target == _normal(surroundings.gateway):
        faults.append("Must be different from Gateway, which is always asked.")
    if target == values.get("HAServerAddress"):
        faults.append("Must be different from HAServerAddress.")
    if target == values.get("HAPeerAddress"):
        faults.append("Must be different from HAPeerAddress.")
    address = ip_address(target)
    if address is not None and surroundings.tunnel_network:
        network = ip_network(surroundings.tunnel_network, strict=False)
        if address.version == network.version and address in network:
            faults.append(f"Must not be in ManagementTunnelNetwork ({surroundings.tunnel_network}).")
    return faults


def _own_names(surroundings: Surroundings) -> frozenset[str]:
    """Names and addresses of this server itself; the pair's virtual address is none of them, wherever it is now."""
    virtual = read(surroundings.applied.get("HAVirtualAddress"))
    own = frozenset(_normal(each) for each in (surroundings.hostname, *surroundings.addresses) if each)
    return own if virtual is None else own - {virtual.address}


def _normal(text: str) -> str:
    """The form that addresses in a configuration have; text that is no address stays as it is."""
    address = ip_address(text.split("%", 1)[0])
    if address is not None:
        return str(address)
    try:
        return clean_host_name(text)
    except ValueError:
        return text


# --- what the two servers have in common ------------------------------------------------------------------------


def shared(config: Config) -> dict[str, Value]:
    """The fields that both servers of a pair have in common."""
    values = complete(config)
    return {each.name: values[each.name] for each in FIELDS if each.scope is Scope.SHARED}


def with_shared(config: Config, values: Mapping[str, Value]) -> dict[str, Value]:
    """The configuration with the shared fields of the other server; what is not shared is left out of account."""
    return complete(config) | {
        name: value for name, value in values.items() if name in BY_NAME and BY_NAME[name].scope is Scope.SHARED
    }


def agree(primary: Config, secondary: Config) -> dict[str, Value]:
    """The shared fields of a new pair: each field from the server on which the manual configures it.

    Where both configure it, both must say the same, or one of them nothing but the default.
    Raises InvalidInput (code `settings-differ`) with the fields of which both want something else.
    """
    values: dict[str, Value] = {}
    errors: dict[str, list[str]] = {}
    ours, theirs = complete(primary), complete(secondary)
    for each in FIELDS:
        if each.scope is not Scope.SHARED:
            continue
        agreed = _agreed(each, ours[each.name], theirs[each.name])
        if agreed is None:
            both = f"{ours[each.name]} on the primary and {theirs[each.name]} on the secondary"
            _add(errors, each.name, f"Must be the same on both servers, and is {both}.")
        else:
            values[each.name] = agreed
    if errors:
        raise InvalidInput(
            "settings-differ",
            "The Two Servers Are Configured Differently",
            detail=f"{_listed(errors)} must be the same on both servers.",
            hint="Change one of the two drafts and apply again.",
            errors=errors,
        )
    return values


def _agreed(each: Field, on_primary: Value, on_secondary: Value) -> Value | None:
    if Role.SECONDARY not in each.roles:
        return on_primary
    if Role.PRIMARY not in each.roles:
        return on_secondary
    if on_primary == on_secondary or on_secondary == each.default:
        return on_primary
    return on_secondary if on_primary == each.default else None


def copied_targets(primary: Config, secondary: Config, surroundings: Surroundings) -> dict[str, Value]:
    """The ping targets for a primary that has none: the secondary's, without those that can't be used on the primary.

    `surroundings` are the primary's. So a failover can be confirmed after a swap too.
    """
    if any(primary.get(name) for name in PING_MONITORS):
        return {}
    values = complete(primary)
    usable = [
        secondary[name]
        for name in PING_MONITORS
        if secondary.get(name) and not target_faults(secondary[name], values, surroundings)
    ]
    return dict(zip(PING_MONITORS, usable, strict=False))


def after_teardown(applied: Config) -> dict[str, Value]:
    """The configuration of a server that has left its pair: standalone, with its settings but without the fingerprint,
    which has been used."""
    return complete(applied) | {"HAServerRole": str(Role.STANDALONE), "HAPeerFingerprint": ""}


def after_role_change(applied: Config, role: Role) -> dict[str, Value]:
    """The configuration of a server of a pair whose role was changed by a swap, a takeover or a failover."""
    return complete(applied) | {"HAServerRole": str(role)}
