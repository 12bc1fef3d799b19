"""Writes docs/fields.md from the declaration of the fields: `python -m app.fields_page > docs/fields.md`."""

from __future__ import annotations

from app.core.fields import FIELDS, Field, Kind
from app.core.roles import TRANSITIONS, Role

INTRODUCTION = """# Fields of the HA configuration

Made from `app/core/fields.py` by `python -m app.fields_page > docs/fields.md`; a test compares the two.

The first eleven are the manual's, with its labels, bounds and defaults. *Shared* fields have one value on both servers,
agreed at the set-up and kept equal by APPLY; *mirrored* ones are swapped (one's server address is the other's peer
address); *local* ones belong to each server. On a server of another role a field is kept and has no effect.
"""

MEANINGS = {
    Kind.ADDRESS: "IPv4, IPv6 or FQDN",
    Kind.FINGERPRINT: "`SHA256:` and 43 characters",
    Kind.EMAIL: "one e-mail address",
    Kind.BOOLEAN: "true or false",
    Kind.VIRTUAL_ADDRESS: "IPv4 or IPv6 address, prefix length and interface: `10.77.1.50/24 dev eth0`",
    Kind.SCRIPT: "bash script, at most 64 KiB",
}


def page() -> str:
    """The whole page."""
    lines = [INTRODUCTION, "| field | label | used on | kind | values | default |", "|---|---|---|---|---|---|"]
    lines += [_row(each) for each in FIELDS]
    lines += ["", "## What they do", ""]
    lines += [f"- `{each.name}`: {each.help}" for each in FIELDS]
    lines += ["", "## What APPLY does when the role changes", "", "| from | to | job | meaning |", "|---|---|---|---|"]
    lines += [f"| {row.applied} | {row.drafted} | `{row.change}` | {row.sentence} |" for row in TRANSITIONS]
    lines += ["", "Every other change of role is refused: apply `standalone` first."]
    return "\n".join(lines) + "\n"


def _row(each: Field) -> str:
    roles = "every role" if each.roles == frozenset(Role) else ", ".join(sorted(each.roles))
    default = str(each.default).lower() if isinstance(each.default, bool) else str(each.default)
    cells = [
        f"`{each.name}`", each.label, roles, str(each.scope), _values(each),
        f"`{default}`" if default else "empty",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _values(each: Field) -> str:
    if each.kind is Kind.CHOICE:
        return ", ".join(f"`{choice}`" for choice in each.choices)
    if each.kind is Kind.INTEGER:
        return f"{each.minimum} to {each.maximum} {each.unit}".strip()
    return MEANINGS[each.kind]


if __name__ == "__main__":
    print(page(), end="")
