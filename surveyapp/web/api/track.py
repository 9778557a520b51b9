"""Segment-compatible intake (`/v1/track`, `/v1/identify` …), so that an existing sender only changes its address."""

import uuid
from typing import Any

from flask_openapi3 import APIBlueprint, Tag

from surveyapp import clock, logs
from surveyapp.domain.fields import kind_of
from surveyapp.domain.tracking import Call, read_call
from surveyapp.services.tracking import record_calls
from surveyapp.web.api import strict

BATCH_LIMIT = 1_000

log = logs.get(__name__)
blueprint = APIBlueprint("api_track", __name__, doc_ui=False, abp_tags=[Tag(name="Segment-compatible intake")])


@blueprint.post("/track")
def track():
    return _single("track")


@blueprint.post("/identify")
def identify():
    return _single("identify")


@blueprint.post("/alias")
def unite():
    return _single("alias")


@blueprint.post("/page")
def page():
    return _single("page")


@blueprint.post("/screen")
def screen():
    return _single("screen")


@blueprint.post("/group")
def group():
    return _single("group")


@blueprint.post("/batch")
def batch():
    value = strict.body()
    if not isinstance(value, dict):
        raise strict.BadJson(f"The body must be an object, not {kind_of(value)}", (1, 1))
    items = value.get("batch")
    if not isinstance(items, list):
        raise strict.WrongFields(["batch: must be a list" if "batch" in value else "batch: is missing"])
    if len(items) > BATCH_LIMIT:
        raise strict.WrongFields([f"batch: has {len(items):,} calls; send at most {BATCH_LIMIT:,}"])
    shared = {name: value[name] for name in ("context", "sentAt") if name in value}
    read = [_read({**shared, **item} if isinstance(item, dict) else item, None) for item in items]
    rejected = [{"index": i, "errors": one} for i, one in enumerate(read) if isinstance(one, list)]
    record_calls([one for one in read if isinstance(one, Call)])
    if rejected:
        log.info("calls_rejected", number=len(rejected), of=len(items))
        return {"success": True, "rejected": rejected}
    return {"success": True}


def _single(kind: str) -> dict[str, Any]:
    call = _read(strict.body(), kind)
    if isinstance(call, list):
        raise strict.WrongFields(call)
    record_calls([call])
    return {"success": True}


def _read(value: object, kind: str | None) -> Call | list[str]:
    return read_call(value, kind, clock.now(), f"made-{uuid.uuid4()}")
