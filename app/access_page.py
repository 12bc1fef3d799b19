"""Writes docs/access.md from the API's description: `python -m app.access_page > docs/access.md`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from flask import Flask

from app.api import create_app
from app.api.described import ACCESS, MEANINGS, access_of, operations
from app.api.reference import PREFIX, description
from app.settings import Settings

INTRODUCTION = """# Who may call what

Made from the API's own description by `python -m app.access_page > docs/access.md`; a test compares the two, and
`tests/unit/api/test_access_matrix.py` sends the request of every cell to the real application on real stores.

Each call states what it needs (`x-access` in `openapi.json`); one that states nothing lets nobody in, and a test fails.
Columns `read`, `operate` and `configure` are tokens of that scope, `auditor` and `administrator` people in a browser,
`CSRF missing` an administrator's browser without `X-CSRF-Token`, and `first password` an administrator whose password
was set by somebody else.
"""
COLUMNS = (
    "nobody", "wrong token", "expired token", "read", "operate", "configure", "auditor", "administrator",
    "CSRF missing", "first password",
)  # fmt: skip
"""read, operate and configure are tokens of that scope; auditor and administrator are people in a browser."""
IN = "yes"
EXPLAINED = {
    IN: "let in",
    "log in": "401 `login-needed`",
    "wrong": "401 `wrong-token`",
    "expired": "401 `token-expired`",
    "scope": "403 `scope-too-small`",
    "person": "403 `not-a-session`: for people, not for tokens",
    "csrf": "403 `csrf`",
    "password": "403 `password-change-needed`",
}
CODES = {
    "log in": "login-needed", "wrong": "wrong-token", "expired": "token-expired", "scope": "scope-too-small",
    "person": "not-a-session", "csrf": "csrf", "password": "password-change-needed",
}  # fmt: skip
SCOPES = ("read", "operate", "configure")
SAFE = "GET"


def cells(method: str, access: str, *, before_password_change: bool) -> dict[str, str]:
    """What each kind of visitor is answered, in the words of EXPLAINED."""
    if access == "open":
        return dict.fromkeys(COLUMNS, IN)
    needed = SCOPES.index("read" if access == "session" else access)
    found = {"nobody": "log in", "wrong token": "wrong", "expired token": "expired"}
    for rank, scope in enumerate(SCOPES):
        found[scope] = "scope" if rank < needed else "person" if access == "session" else IN
    found["auditor"] = IN if needed == 0 else "scope"
    found["administrator"] = IN
    found["CSRF missing"] = IN if method == SAFE else "csrf"
    found["first password"] = IN if before_password_change else "password"
    return found


def rows(app: Flask) -> list[tuple[str, str, str, dict[str, str]]]:
    """Method, path, access and cells of each call: those of the description, then the pages beside it."""
    document = description()
    found = [(method.upper(), path, operation[ACCESS]) for path, method, operation in operations(document)]
    known = {(method, path) for method, path, _ in found}
    for rule in sorted(app.url_map.iter_rules(), key=lambda each: each.rule):
        path = rule.rule.replace("<path:", "{").replace("<", "{").replace(">", "}")
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            access = str(access_of(app.view_functions[rule.endpoint]))
            found += [] if (method, path) in known else [(method, path, access)]
    return [
        (method, path, access, cells(method, access, before_password_change=_before_change(app, method, path)))
        for method, path, access in found
    ]


def _before_change(app: Flask, method: str, path: str) -> bool:
    return any(
        getattr(app.view_functions[rule.endpoint], "before_password_change", False)
        for rule in app.url_map.iter_rules()
        if rule.rule.replace("<", "{").replace(">", "}") == path and method in (rule.methods or ())
    )


def page() -> str:
    """The whole page."""
    nothing: Any = SimpleNamespace(settings=Settings())
    app = create_app(nothing, nothing, nothing, nothing)
    with app.app_context():
        found = rows(app)
    lines = [INTRODUCTION, "| access | for |", "|---|---|"]
    lines += [f"| {access} | {meaning} |" for access, meaning in MEANINGS.items()]
    lines += ["", "| in the table | means |", "|---|---|"]
    lines += [f"| {word} | {meaning} |" for word, meaning in EXPLAINED.items()]
    lines += ["", f"| call | access | {' | '.join(COLUMNS)} |", "|---|---|" + "---|" * len(COLUMNS)]
    for method, path, access, answers in found:
        shown = path.removeprefix(PREFIX) if path.startswith(PREFIX) else path
        lines.append(f"| `{method} {shown}` | {access} | {' | '.join(answers[each] for each in COLUMNS)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
