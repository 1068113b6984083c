"""What answers look like: for the OpenAPI document, with the schemas of `reads`.

And pages of documents as they are sent.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from fastapi import FastAPI
from starlette.responses import JSONResponse

from phx_pipeline.reads.documents import Document
from phx_pipeline.reads.schemas import NAMES, schema_of
from phx_pipeline.service.api.problems import MEDIA_TYPE

Answers = dict[int | str, dict[str, Any]]

_NOT_PART: Final = ("$schema", "$id")  # of a schema within another document
_PROBLEM: Final[Document] = {
    "title": "What is wrong, and the remedy (RFC 9457)",
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
    "required": ["type", "title", "status", "detail"],
}


def one(name: str, *, status: int = 200, told: str = "The document.") -> Answers:
    """Return the answers of what gives one document."""
    return _answers(status, _reference(name), told=told)


def page(name: str) -> Answers:
    """Return the answers of what gives a page of documents."""
    schema = {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": _reference(name)},
            "next": {
                "type": ["string", "null"],
                "description": "The `cursor` of the next page; null after the last.",
            },
        },
        "required": ["items", "next"],
        "additionalProperties": False,
    }
    return _answers(200, schema, told="A page.")


def page_of(items: Iterable[Document], following: str | None) -> JSONResponse:
    """Return a page as it is sent."""
    return JSONResponse({"items": list(items), "next": following})


def problems() -> Answers:
    """Return the answer that every path may give."""
    content = {MEDIA_TYPE: {"schema": _reference("problem")}}
    return {"4XX": {"description": "A problem.", "content": content}}


def with_documents(app: FastAPI) -> None:
    """Let the OpenAPI document of *app* hold the schemas of all documents."""
    plain = app.openapi

    def whole() -> dict[str, Any]:
        document = plain()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["problem"] = _PROBLEM
        schemas["extraction_job"] = _extraction_job()
        schemas.update({name: _part(schema_of(name)) for name in NAMES})
        return document

    app.openapi = whole  # type: ignore[method-assign]  # the way FastAPI documents


def _answers(status: int, schema: Mapping[str, Any], *, told: str) -> Answers:
    content = {"application/json": {"schema": schema}}
    return {status: {"description": told, "content": content}}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _extraction_job() -> dict[str, Any]:
    """Return the schema of a job with what sums it up."""
    plain = _part(schema_of("job"))
    more = {
        "job_id": {"type": "string"},
        "progress": {
            "type": "object",
            "additionalProperties": {"type": "integer"},
        },
        "error": {"type": ["string", "null"]},
    }
    return {
        **plain,
        "properties": {**plain["properties"], **more},
        "required": [*plain["required"], *more],
    }


def _part(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {name: it for name, it in schema.items() if name not in _NOT_PART}
