"""The API described: OpenAPI 3.1 for programs at `/api/v1/openapi.json`, the same as a readable page at `/api/docs`."""

import copy
import json
from typing import Any

from flask import Flask, current_app, render_template
from flask_openapi3 import APIBlueprint, Tag
from flask_openapi3.models import OPENAPI3_REF_PREFIX, OPENAPI3_REF_TEMPLATE
from pydantic import BaseModel
from werkzeug.wrappers import Response

from surveyapp.web.api import idempotency
from surveyapp.web.api.schemas import SHAPES, Problem
from surveyapp.web.api.webhooks import TOLD, told_operations

ROOT = "/api/v1"
VERBS = ("get", "put", "post", "patch", "delete")
PROBLEM = {"application/problem+json": {"schema": {"$ref": OPENAPI3_REF_TEMPLATE.format(model="Problem")}}}
READING = {"401": "No valid key", "403": "The key's role may not do this", "422": "A parameter does not fit"}
WRITING = {
    "400": "The body is not readable as JSON; the position is told",
    "413": "The body is too large",
    "415": "The body is not application/json in UTF-8",
    "422": "A field does not fit; each is named with a sentence",
}
FIRST = ("Events", "Customers", "Contact policy", "Decisions", "Responses", "Figures")
ANY_TIME = {"500": "Our mistake; nothing was changed", "503": "Busy for a moment; try again"}

blueprint = APIBlueprint("api_document", __name__, abp_tags=[Tag(name="About the API")])


@blueprint.get("/v1/openapi.json", responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}})
def show_openapi():
    """Show this document

    OpenAPI 3.1, made from the routes themselves.
    """
    return Response(current_app.json.dumps(described(current_app)), content_type="application/json")


@blueprint.get("/docs", doc_ui=False)
def show_docs():
    spec = described(current_app)
    told = [
        {"event": event, "summary": item["post"]["summary"], "fields": _fields(spec, _body(item["post"]))}
        for event, item in spec["webhooks"].items()
    ]
    base_url = current_app.config["BASE_URL"]
    return render_template("api/docs.html", groups=_groups(spec), told=told, spec=spec, base_url=base_url)


def described(app: Flask) -> dict[str, Any]:
    """The OpenAPI document of every route under `/api/v1`, made once per application."""
    kept = app.extensions.setdefault("surveyapp_api", {})
    if "document" not in kept:
        kept["document"] = _describe(app)
    document: dict[str, Any] = kept["document"]
    return document


def _describe(app: Any) -> dict[str, Any]:
    spec = copy.deepcopy(app.api_doc)
    spec["paths"] = {path: item for path, item in sorted(spec["paths"].items()) if path.startswith(ROOT)}
    spec["servers"] = [{"url": app.config["BASE_URL"]}]
    schemas = spec.setdefault("components", {}).setdefault("schemas", {})
    spec["webhooks"] = told_operations()
    for shape in (*SHAPES.values(), Problem, *(shape for _, shape in TOLD.values())):
        _add_shape(schemas, shape)
    for path, item in spec["paths"].items():
        for verb in VERBS:
            if verb in item:
                if idempotency.applies(path, verb):
                    item[verb].setdefault("parameters", []).append(idempotency.PARAMETER)
                    item[verb].setdefault("responses", {}).setdefault("409", {"description": idempotency.CONFLICT})
                _complete(item[verb], "requestBody" in item[verb], open_to_all=path.endswith("openapi.json"))
    used = _used_schemas(spec)
    spec["components"]["schemas"] = {name: schemas[name] for name in sorted(schemas) if name in used}
    tags = {tag for item in spec["paths"].values() for verb in item.values() for tag in verb.get("tags", ())}
    spec["tags"] = [tag for tag in spec.get("tags", ()) if tag["name"] in tags]
    return spec


def _add_shape(schemas: dict[str, Any], shape: type[BaseModel]) -> None:
    schema = shape.model_json_schema(ref_template=OPENAPI3_REF_TEMPLATE)
    for name, inner in schema.pop("$defs", {}).items():
        schemas.setdefault(name, inner)
    schemas[shape.__name__] = schema


def _complete(operation: dict[str, Any], has_body: bool, open_to_all: bool) -> None:
    """Add what every route of its kind may answer, as problem documents."""
    answers = operation.setdefault("responses", {})
    answers.pop("422", None)
    also = ({} if open_to_all else READING) | (WRITING if has_body else {}) | ANY_TIME
    if not has_body and not operation.get("parameters"):
        also.pop("422", None)
    for status, words in also.items():
        answers.setdefault(status, {"description": words, "content": PROBLEM})
    for status, answer in answers.items():
        if status >= "400":
            answer["content"] = PROBLEM
            answer["description"] = answer.get("description") or "Refused"
    operation["responses"] = dict(sorted(answers.items()))
    paragraphs = operation.get("description", "").split("<br/><br/>")
    operation["description"] = "\n\n".join(" ".join(part.split("<br/>")).strip() for part in paragraphs).strip()
    if open_to_all:
        operation["security"] = []


def _used_schemas(spec: dict[str, Any]) -> set[str]:
    """The names of the schemas that a route or a webhook refers to, directly or through another."""
    schemas = spec["components"]["schemas"]
    used: set[str] = set()
    waiting = _references(spec["paths"]) | _references(spec["webhooks"])
    while waiting:
        name = waiting.pop()
        if name in schemas and name not in used:
            used.add(name)
            waiting |= _references(schemas[name])
    return used


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        found = set().union(*(_references(item) for item in value.values())) if value else set()
        reference = value.get("$ref")
        return found | {reference.rpartition("/")[2]} if isinstance(reference, str) else found
    return set().union(*(_references(item) for item in value)) if isinstance(value, list) and value else set()


def _groups(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The routes by tag, as the page shows them."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, item in spec["paths"].items():
        for verb in VERBS:
            if verb in item:
                shown = _shown(spec, path, verb, item[verb])
                groups.setdefault((item[verb].get("tags") or ["Other"])[0], []).append(shown)
    names = sorted(groups, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name))
    return [{"name": name, "anchor": _anchor(name), "routes": groups[name]} for name in names]


def _shown(spec: dict[str, Any], path: str, verb: str, operation: dict[str, Any]) -> dict[str, Any]:
    body = _content(operation)
    good = next((a for status, a in operation["responses"].items() if status < "300"), {})
    answer = good.get("content", {}).get("application/json", {}).get("schema", {})
    return {
        "verb": verb.upper(),
        "path": path,
        "anchor": _anchor(f"{verb} {path}"),
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "parameters": [
            {"name": p["name"], "where": p["in"], "required": p.get("required"), **_words(spec, p.get("schema", {}))}
            for p in operation.get("parameters", ())
        ],
        "fields": _fields(spec, body.get("schema", {})),
        "example": json.dumps(body["example"], indent=2, ensure_ascii=False) if "example" in body else None,
        "answer": _fields(spec, answer),
        "statuses": [(status, answer["description"]) for status, answer in operation["responses"].items()],
    }


def _content(operation: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return content


def _body(operation: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = _content(operation).get("schema", {})
    return schema


def _fields(spec: dict[str, Any], schema: dict[str, Any], prefix: str = "", depth: int = 0) -> list[dict[str, Any]]:
    """The fields of an object, nested ones under their dotted names."""
    schema = _resolved(spec, schema)
    rows: list[dict[str, Any]] = []
    for name, field in schema.get("properties", {}).items():
        inner = _resolved(spec, field)
        listed = inner.get("type") == "array"
        path = f"{prefix}{name}{'[]' if listed else ''}"
        rows.append({"name": path, "required": name in schema.get("required", ()), **_words(spec, field)})
        nested = _resolved(spec, inner.get("items", {})) if listed else inner
        if depth < 3 and nested.get("properties"):
            rows += _fields(spec, nested, f"{path}.", depth + 1)
    return rows


def _words(spec: dict[str, Any], field: dict[str, Any]) -> dict[str, str]:
    options = [_resolved(spec, one) for one in field.get("anyOf", ())] or [_resolved(spec, field)]
    kinds = [one.get("format") or one.get("type", "any") for one in options]
    kind = " or ".join(dict.fromkeys(" or ".join(k) if isinstance(k, list) else str(k) for k in kinds))
    return {"kind": kind, "description": field.get("description") or options[0].get("description") or ""}


def _resolved(spec: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref", "")
    if reference.startswith(OPENAPI3_REF_PREFIX):
        resolved: dict[str, Any] = spec["components"]["schemas"].get(reference.rpartition("/")[2], {})
        return resolved
    return schema


def _anchor(text: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in text.lower()).split())
