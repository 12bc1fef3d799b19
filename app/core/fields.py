"""Each HA field, declared once: schema, API, help, command line and console come from this table.

Names, labels, bounds and defaults of the first eleven are the manual's (panel "HA Configuration"); the others are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from app.core.roles import Role
from app.core.values import (
    ADDRESS_LENGTH_MAX,
    EMAIL_LENGTH_MAX,
    SCRIPT_BYTES_MAX,
    clean_address,
    clean_email,
    clean_fingerprint,
    clean_script,
)
from app.core.virtual_address import LENGTH_MAX as VIRTUAL_ADDRESS_LENGTH_MAX
from app.core.virtual_address import clean_virtual_address

Value = str | int | bool
FINGERPRINT_LENGTH = 50
TEXT_LENGTH_MAX = 64


class Kind(StrEnum):
    """What a field's value is."""

    CHOICE = "choice"
    ADDRESS = "address"
    FINGERPRINT = "fingerprint"
    EMAIL = "email"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    SCRIPT = "script"
    VIRTUAL_ADDRESS = "virtual-address"


class Scope(StrEnum):
    """What the two servers of a pair have in common."""

    SHARED = "shared"
    """Both have the same value."""
    MIRRORED = "mirrored"
    """One's own address is the other's peer address."""
    LOCAL = "local"
    """Each has its own."""


class Section(StrEnum):
    BASIC = "basic"
    ADVANCED = "advanced"


PRIMARY = frozenset({Role.PRIMARY})
SECONDARY = frozenset({Role.SECONDARY})
PAIRED = PRIMARY | SECONDARY
EVERY_ROLE = frozenset(Role)

CLEANERS: dict[Kind, Callable[[str], str]] = {
    Kind.ADDRESS: clean_address,
    Kind.FINGERPRINT: clean_fingerprint,
    Kind.EMAIL: clean_email,
    Kind.SCRIPT: clean_script,
    Kind.VIRTUAL_ADDRESS: clean_virtual_address,
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of the HA configuration."""

    name: str
    """In the API and the manual."""
    attribute: str
    """In Python; units last."""
    label: str
    kind: Kind
    default: Value
    roles: frozenset[Role]
    """The roles that use it; on a server of another role it is kept and has no effect."""
    scope: Scope
    section: Section
    help: str
    required: bool = False
    """A server of a role that uses it needs a value."""
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    unit: str = ""
    length_max: int = TEXT_LENGTH_MAX
    """Characters; of a script, bytes."""


def _ping_monitor(number: int) -> Field:
    return Field(
        name=f"HAPingMonitor{number}",
        attribute=f"ping_monitor_{number}",
        label=f"Additional Ping Target {number} to Confirm Failover",
        kind=Kind.ADDRESS,
        default="",
        roles=SECONDARY,
        scope=Scope.LOCAL,
        section=Section.ADVANCED,
        length_max=ADDRESS_LENGTH_MAX,
        help="No failover takes place while this server's default gateway and all additional targets are silent: then"
        " its own network is at fault. An address or name that is neither of the two servers nor the gateway.",
    )


FIELDS = (
    Field(
        name="HAServerRole",
        attribute="server_role",
        label="Local Server Role",
        kind=Kind.CHOICE,
        choices=tuple(Role),
        default=Role.STANDALONE,
        roles=EVERY_ROLE,
        scope=Scope.LOCAL,
        section=Section.BASIC,
        required=True,
        help="What this server is to be: standalone, or the primary or the secondary of a pair.",
    ),
    Field(
        name="HAServerAddress",
        attribute="server_address",
        label="Local Server Address",
        kind=Kind.ADDRESS,
        default="",
        roles=PAIRED,
        scope=Scope.MIRRORED,
        section=Section.BASIC,
        required=True,
        length_max=ADDRESS_LENGTH_MAX,
        help="The address under which the other server reaches this one. It is the HAPeerAddress there.",
    ),
    Field(
        name="HAPeerAddress",
        attribute="peer_address",
        label="Peer Server Address",
        kind=Kind.ADDRESS,
        default="",
        roles=PAIRED,
        scope=Scope.MIRRORED,
        section=Section.BASIC,
        required=True,
        length_max=ADDRESS_LENGTH_MAX,
        help="The address of the other server. It is the HAServerAddress there.",
    ),
    Field(
        name="HAPeerFingerprint",
        attribute="peer_fingerprint",
        label="Peer Authentication Fingerprint",
        kind=Kind.FINGERPRINT,
        default="",
        roles=PAIRED,
        scope=Scope.SHARED,
        section=Section.BASIC,
        required=True,
        length_max=FINGERPRINT_LENGTH,
        help="Generated on the primary and pasted into the secondary. It proves each server to the other, once.",
    ),
    Field(
        name="HAAlertEmail",
        attribute="alert_email",
        label="HA Alert Email Account",
        kind=Kind.EMAIL,
        default="",
        roles=PAIRED,
        scope=Scope.SHARED,
        section=Section.BASIC,
        length_max=EMAIL_LENGTH_MAX,
        help="Who is told about events and alarms of the pair. The same on both servers.",
    ),
    Field(
        name="HAFileSyncInterval",
        attribute="file_sync_interval_s",
        label="Files Sync Frequency",
        kind=Kind.INTEGER,
        minimum=5,
        maximum=30,
        default=5,
        unit="s",
        roles=PRIMARY,
        scope=Scope.SHARED,
        section=Section.ADVANCED,
        help="Seconds before changed files are brought to the secondary; 1000 changes bring them at once.",
    ),
    Field(
        name="HAAdminAlertScript",
        attribute="alert_script",
        label="HA Custom Script",
        kind=Kind.SCRIPT,
        default="",
        roles=PAIRED,
        scope=Scope.LOCAL,
        section=Section.ADVANCED,
        length_max=SCRIPT_BYTES_MAX,
        help="A bash script that is run as root on an HA event: Failover, StandbyOffline, ManualSwitch, RaiseAlarm or"
        " ClearAlarm is its first parameter.",
    ),
    Field(
        name="HAPingIterations",
        attribute="ping_iterations",
        label="Number of Continuous Failed Pings to Trigger Failover",
        kind=Kind.INTEGER,
        minimum=2,
        maximum=20,
        default=12,
        unit="pings",
        roles=SECONDARY,
        scope=Scope.SHARED,
        section=Section.ADVANCED,
        help="So many pings to the primary in a row must fail before the secondary takes over.",
    ),
    _ping_monitor(1),
    _ping_monitor(2),
    _ping_monitor(3),
    Field(
        name="HAPingInterval",
        attribute="ping_interval_s",
        label="Time Between Pings",
        kind=Kind.INTEGER,
        minimum=1,
        maximum=15,
        default=15,
        unit="s",
        roles=SECONDARY,
        scope=Scope.SHARED,
        section=Section.ADVANCED,
        help="The secondary pings the primary this often; times the number of failed pings it is the detection window.",
    ),
    Field(
        name="HAProtectionMode",
        attribute="protection_mode",
        label="Protection Mode",
        kind=Kind.CHOICE,
        choices=("performance", "availability", "protection"),
        default="availability",
        roles=PRIMARY,
        scope=Scope.SHARED,
        section=Section.ADVANCED,
        help="What a commit waits for. performance: for nothing, a failover may lose the last rows. availability: for"
        " the secondary, while it is there. protection: for the secondary, and writes wait while it is gone.",
    ),
    Field(
        name="HAServiceFailover",
        attribute="service_failover",
        label="Failover When Only The Service Has Failed",
        kind=Kind.BOOLEAN,
        default=True,
        roles=SECONDARY,
        scope=Scope.SHARED,
        section=Section.ADVANCED,
        help="Take over also from a primary that answers pings but whose database or monitor is dead or frozen.",
    ),
    Field(
        name="HAFailoverLagBound",
        attribute="failover_lag_bound_s",
        label="Largest Replication Lag for Failover",
        kind=Kind.INTEGER,
        minimum=0,
        maximum=3600,
        default=30,
        unit="s",
        roles=SECONDARY,
        scope=Scope.SHARED,
        section=Section.ADVANCED,
        help="A secondary that was further behind when the primary was lost does not take over by itself.",
    ),
    Field(
        name="HAAntiFlappingTime",
        attribute="anti_flapping_s",
        label="Time Between Failovers",
        kind=Kind.INTEGER,
        minimum=0,
        maximum=86400,
        default=900,
        unit="s",
        roles=SECONDARY,
        scope=Scope.SHARED,
        section=Section.ADVANCED,
        help="For so long after a failover there is no second one, unless the pair has been stable since.",
    ),
    Field(
        name="HAStandbyOnlineEvent",
        attribute="standby_online_event",
        label="Event When The Secondary Is Back",
        kind=Kind.BOOLEAN,
        default=False,
        roles=PRIMARY,
        scope=Scope.SHARED,
        section=Section.ADVANCED,
        help="Run the custom script with StandbyOnline when the secondary is back after StandbyOffline. Off, so that"
        " existing scripts see only the five events they know.",
    ),
    Field(
        name="HAVirtualAddress",
        attribute="virtual_address",
        label="Virtual Address",
        kind=Kind.VIRTUAL_ADDRESS,
        default="",
        roles=PAIRED,
        scope=Scope.SHARED,
        section=Section.ADVANCED,
        length_max=VIRTUAL_ADDRESS_LENGTH_MAX,
        help="An address that clients use and that moves with the primary, with its prefix length and interface, such"
        " as 10.77.1.50/24 dev eth0. Only for two servers in one subnet; empty for none.",
    ),
)  # fmt: skip

BY_NAME = {each.name: each for each in FIELDS}
PING_MONITORS = ("HAPingMonitor1", "HAPingMonitor2", "HAPingMonitor3")


def clean(each: Field, value: object) -> Value:
    """The normal form of a value for that field; empty text is the default.

    Raises ValueError with the sentence for the administrator, also where the type is wrong: nothing is converted.
    """
    if each.kind is Kind.BOOLEAN:
        if not isinstance(value, bool):
            raise ValueError("Must be true or false.")
        return value
    if each.kind is Kind.INTEGER:
        return _clean_integer(each, value)
    if not isinstance(value, str):
        raise ValueError("Must be text.")  # noqa: TRY004 - one kind of error for all that is wrong
    if each.kind is Kind.CHOICE:
        if value not in each.choices:
            raise ValueError(f"Must be one of {', '.join(each.choices)}.")
        return value
    if not value.strip():
        return each.default
    if len(value if each.kind is Kind.SCRIPT else value.strip()) > each.length_max:
        raise ValueError(f"May have at most {each.length_max} characters.")
    return CLEANERS[each.kind](value)


def _clean_integer(each: Field, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("Must be a whole number.")  # noqa: TRY004 - one kind of error for all that is wrong
    if each.minimum is None or each.maximum is None:
        raise TypeError(f"{each.name} is declared without bounds")
    if not each.minimum <= value <= each.maximum:
        raise ValueError(f"Must be an integer between {each.minimum} and {each.maximum}.")
    return value
