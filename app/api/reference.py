"""The page for people that the OpenAPI description is rendered to: plain HTML, no script, no request to anywhere."""

from __future__ import annotations

from copy import deepcopy
from html import escape
from typing import Any

from flask import Flask, Response, current_app, json, make_response

from app.api.described import ACCESS, MEANINGS, complete
from app.api.door import open_to_all

PREFIX = "/api/v1"
KEY = "hapair-description"
CSS = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
h2 { margin-top: 2.5rem; }
section { border-top: 1px solid #8886; padding: .5rem 0; }
h3 { font: 600 1rem/1.5 ui-monospace, monospace; margin: .5rem 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
td, th { border-bottom: 1px solid #8883; padding: .2rem .6rem .2rem 0; text-align: left; vertical-align: top; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
"""


def install(app: Flask) -> None:
    app.add_url_rule(f"{PREFIX}/openapi.json", "openapi", open_to_all(show_description))
    app.add_url_rule(f"{PREFIX}/docs", "docs", open_to_all(show))
    app.add_url_rule(f"{PREFIX}/docs/style.css", "docs_style", open_to_all(show_style))


def show() -> Response:
    """The description of the API for people."""
    page = current_app.extensions.setdefault("hapair-docs", None) or render(description())
    current_app.extensions["hapair-docs"] = page
    response = make_response(page)
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'self'"
    return response


def show_description() -> Response:
    return Response(json.dumps(description()), mimetype="application/json")


def show_style() -> Response:
    return Response(CSS, mimetype="text/css")


def description() -> dict[str, Any]:
    """The OpenAPI document."""
    if KEY not in current_app.extensions:
        found = deepcopy(current_app.extensions["flask-smorest"]["apis"][""]["ext_obj"].spec.to_dict())
        current_app.extensions[KEY] = complete(found, current_app)
    document: dict[str, Any] = current_app.extensions[KEY]
    return document


def render(document: dict[str, Any]) -> str:
    schemas = document.get("components", {}).get("schemas", {})
    body = []
    for tag in document.get("tags", []):
        body.append(f"<h2>{escape(tag['description'])}</h2>")
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if isinstance(operation, dict) and tag["name"] in operation.get("tags", []):
                    body.append(_operation(method, path, operation, schemas))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>hapair API</title>'
        f'<link rel="stylesheet" href="{PREFIX}/docs/style.css"></head><body><main><h1>hapair JSON API</h1>'
        f"<p>{escape(document['info'].get('description', ''))}</p>"
        f'<p>For programs: <a href="{PREFIX}/openapi.json">openapi.json</a></p>{"".join(body)}</main></body></html>'
    )


def _operation(method: str, path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    text = [f"<section><h3>{method.upper()} {escape(path)}</h3><p>{escape(operation.get('summary', ''))}</p>"]
    if ACCESS in operation:
        text.append(f"<p>For {escape(MEANINGS[operation[ACCESS]])}.</p>")
    rows = [
        (each["name"], f"{each['in']}; {each.get('description') or each.get('schema', {}).get('description', '')}")
        for each in operation.get("parameters", [])
    ]
    for media in operation.get("requestBody", {}).get("content", {}).values():
        rows += _fields(media.get("schema", {}), schemas)
    if rows:
        text.append("<h4>Takes</h4>" + _table(rows))
    answers = []
    for code, answer in sorted(operation.get("responses", {}).items()):
        shapes = [media.get("schema", {}) for media in answer.get("content", {}).values()]
        names = ", ".join(name for shape in shapes for name, _ in _fields(shape, schemas))
        answers.append((code, answer.get("description", "") + (f": {names}" if names and code < "4" else "")))
    return "".join(text) + "<h4>Answers</h4>" + _table(answers) + "</section>"


def _fields(shape: dict[str, Any], schemas: dict[str, Any]) -> list[tuple[str, str]]:
    name = shape.get("$ref", "").rpartition("/")[2]
    found = schemas.get(name, shape)
    return [(field, _kind(known)) for field, known in found.get("properties", {}).items()]


def _kind(known: dict[str, Any]) -> str:
    bounds = f"{known['minimum']} to {known['maximum']}" if known.get("minimum") is not None else ""
    choices = ", ".join(str(each) for each in known.get("enum", []) if each is not None)
    kind = known.get("type", "")
    words = [str(kind), bounds, choices, known.get("title", ""), known.get("description", "")]
    return "; ".join(word for word in words if word)


def _table(rows: list[tuple[str, str]]) -> str:
    cells = (f"<tr><td><code>{escape(name)}</code></td><td>{escape(text)}</td></tr>" for name, text in rows)
    return f"<table>{''.join(cells)}</table>"
