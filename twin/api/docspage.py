"""The API's documentation as one page of plain HTML, rendered from the OpenAPI document without scripts or external assets."""

import html
import json
from typing import Any

from twin.api.endpoints import BASE, ENDPOINTS
from twin.api.openapi import REPLAY, document

_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
code,pre{font:.9em/1.5 ui-monospace,monospace}
pre{overflow:auto;padding:.75rem;border:1px solid #8888;border-radius:6px}
h2{margin-top:2.5rem;font-size:1.15rem;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #8884}
td:first-child{white-space:nowrap}
summary{cursor:pointer}
"""


def page(base: str) -> str:
    """Render the page; `base` is the server's address as the reader has it, for the commands."""
    openapi = document()
    examples = {BASE + endpoint.path: endpoint.example for endpoint in ENDPOINTS}
    examples[BASE + REPLAY] = "?start=2025-10-17T18:00:00Z&end=2025-10-17T19:00:00Z&speed=60"
    examples |= dict.fromkeys(openapi["paths"].keys() - examples.keys(), "")
    paths = "".join(
        _path(method, path, operation, examples[path], openapi, base)
        for path, operations in openapi["paths"].items()
        for method, operation in operations.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<link rel="icon" href="../../favicon.ico">'
        f"<title>{html.escape(openapi['info']['title'])}: API</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{html.escape(openapi['info']['title'])}: API</h1><p>{html.escape(openapi['info']['description'])}</p>"
        '<p>For programs: <a href="../../api/v1/openapi.json">openapi.json</a>. Errors are <code>application/problem+json</code> '
        "(RFC 9457). Answers have an ETag; send <code>Accept-Encoding: gzip</code> for smaller ones.</p>"
        f"{paths}</main></body></html>"
    )


def _path(method: str, path: str, operation: dict[str, Any], example: str, openapi: dict[str, Any], base: str) -> str:
    rows = "".join(
        f"<tr><td><code>{html.escape(parameter['name'])}</code>{' *' if parameter.get('required') else ''}</td>"
        f"<td>{html.escape(_allowed(parameter['schema']))}</td><td>{html.escape(parameter.get('description', ''))}</td></tr>"
        for parameter in operation["parameters"]
    )
    table = f"<table><thead><tr><th>parameter</th><th>allowed</th><th></th></tr></thead><tbody>{rows}</tbody></table>"
    filled = path.replace("{location}", "sanfrancisco")
    for name in ("order_id", "rule_id", "alert_id"):
        filled = filled.replace(f"{{{name}}}", name.removesuffix("_id").upper())
    curl = f"curl {'-N ' if path.endswith(('replay', 'live')) else ''}'{base}{filled}{example}'"
    curl += f" -X {method.upper()}" if method in ("put", "delete") else ""
    curl += "".join(
        f" -H '{parameter['name']}: {'Bearer TOKEN' if parameter['name'] == 'Authorization' else 1}'"
        for parameter in operation["parameters"]
        if parameter["in"] == "header" and parameter.get("required")
    )
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        data = f"-d '{json.dumps(content['example'])}'" if "example" in content else "--data-binary @events.jsonl"
        curl += f" -H 'Content-Type: {kind}' {data}"
    return (
        f"<section><h2><code>{method.upper()} {html.escape(path)}</code></h2><p>{html.escape(operation['summary'])}</p>"
        f"<p>{html.escape(operation.get('description', ''))}</p>{table if rows else ''}<pre>{html.escape(curl)}</pre>"
        f"{_answer(operation, openapi)}</section>"
    )


def _answer(operation: dict[str, Any], openapi: dict[str, Any]) -> str:
    answers = (answer for status, answer in operation["responses"].items() if status.startswith("2"))
    content = next(answers).get("content", {})
    if "application/json" in content:
        shapes = [content["application/json"]["schema"]["$ref"]]
    else:
        shapes = [message["$ref"] for message in content.get("text/event-stream", {}).get("x-messages", [])]
    schemas = openapi["components"]["schemas"]
    blocks = []
    for name in (shape.rpartition("/")[2] for shape in shapes):
        text = json.dumps(schemas[name]["properties"], indent=1, ensure_ascii=False)
        blocks.append(f"<details><summary>{html.escape(name)}</summary><pre>{html.escape(text)}</pre></details>")
    return "".join(blocks)


def _allowed(schema: dict[str, Any]) -> str:
    """Return a parameter's allowed values as a short text."""
    if "enum" in schema:
        allowed = " | ".join(schema["enum"])
    else:
        allowed = {"date-time": "ISO 8601 time"}.get(schema.get("format", ""), schema.get("type", "text"))
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        allowed += f" {low:g}–{high:g}"
    return f"{allowed} (default {schema['default']})" if "default" in schema else allowed
