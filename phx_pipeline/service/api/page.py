"""The page that shows the OpenAPI document: plain HTML, no scripts, no network."""

from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import HTMLResponse

PAGE: Final = "/api/docs"

_STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{margin-top:2.5rem;border-bottom:1px solid #ccc}
details{border:1px solid #ddd;border-radius:4px;margin:.5rem 0;padding:.3rem .8rem}
summary{cursor:pointer}code,pre{font-family:ui-monospace,monospace;font-size:.9em}
pre{background:#f6f6f6;padding:.6rem;overflow:auto}table{border-collapse:collapse}
td,th{border-bottom:1px solid #eee;padding:.2rem .8rem .2rem 0;text-align:left;
vertical-align:top}.method{display:inline-block;min-width:4.5rem;font-weight:bold}
"""

Document = Mapping[str, Any]


def page_router(document: Callable[[], Document]) -> APIRouter:
    """Return the path of the page that shows *document*."""
    router = APIRouter()

    def docs() -> HTMLResponse:
        """Show this interface to people, without a network."""
        return HTMLResponse(
            page_of(document()), headers={"content-security-policy": _POLICY}
        )

    router.add_api_route(PAGE, docs, methods=["GET"], include_in_schema=False)
    return router


_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def page_of(document: Document) -> str:
    """Return the page for an OpenAPI document."""
    info = document["info"]
    title = escape(f"{info['title']}: REST interface")
    body = "\n".join(_sections(document))
    about = escape(info.get("description", ""))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>{title}</h1>\n<p>{about}</p>\n"
        '<p>For programs: <a href="/openapi.json"><code>/openapi.json</code></a></p>\n'
        f"{body}\n</body></html>\n"
    )


def _sections(document: Document) -> Iterator[str]:
    by_tag: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tag = next(iter(operation.get("tags", ())), "more")
            shown = _operation(method, path, operation, document)
            by_tag.setdefault(tag, []).append(shown)
    for tag, operations in by_tag.items():
        yield f"<h2>{escape(tag)}</h2>"
        yield from operations


def _operation(method: str, path: str, operation: Document, document: Document) -> str:
    head = (
        f'<summary><code class="method">{escape(method.upper())}</code>'
        f"<code>{escape(path)}</code> {escape(operation.get('description', ''))}"
        "</summary>"
    )
    parts = [
        _parameters(operation.get("parameters", ()), document),
        _body(operation, document),
    ]
    answers = ", ".join(
        f"<code>{escape(status)}</code> {escape(it.get('description', ''))}"
        for status, it in operation["responses"].items()
    )
    return f"<details>{head}{''.join(parts)}<p>Answers: {answers}</p></details>"


def _parameters(parameters: Any, document: Document) -> str:
    if not parameters:
        return ""
    rows = "".join(
        f"<tr><td><code>{escape(it['name'])}</code></td><td>{escape(it['in'])}</td>"
        f"<td>{escape(_kind(it['schema'], document))}</td>"
        f"<td>{escape(it.get('description', ''))}</td></tr>"
        for it in parameters
    )
    return f"<table>{rows}</table>"


def _body(operation: Document, document: Document) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    if schema is None:
        return ""
    whole = _resolved(schema, document)
    needed = set(whole.get("required", ()))
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td>"
        f"<td>{escape(_kind(it, document))}</td>"
        f"<td>{'needed' if name in needed else ''}</td>"
        f"<td>{escape(it.get('description', ''))}</td></tr>"
        for name, it in whole.get("properties", {}).items()
    )
    return f"<p>Body, <code>application/json</code>:</p><table>{rows}</table>"


def _resolved(schema: Document, document: Document) -> Document:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Document = document["components"]["schemas"][reference.rpartition("/")[2]]
    return found


def _kind(schema: Document, document: Document) -> str:
    """In a few words which values there may be."""
    schema = _resolved(schema, document)
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if several := schema.get("anyOf"):
        return " or ".join(
            _kind(it, document) for it in several if it.get("type") != "null"
        )
    kind = str(schema.get("type", "any"))
    return (
        f"{kind} of {_kind(schema['items'], document)}" if "items" in schema else kind
    )
