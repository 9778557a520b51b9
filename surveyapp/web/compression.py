"""Answers travel compressed where the reader takes gzip. Streams and small or packed answers are left alone."""

import gzip
from functools import lru_cache
from pathlib import Path

from flask import Flask, current_app, request
from werkzeug.wrappers import Response

SMALLEST = 1_000
TEXTS = ("text/", "application/json", "application/problem+json", "application/javascript", "image/svg+xml")


def compress(app: Flask) -> None:
    """Pack what the views answer; a file under /static is packed once per content."""

    @app.after_request
    def _pack(response: Response) -> Response:
        if not (response.mimetype or "").startswith(TEXTS) or response.headers.get("Content-Encoding"):
            return response
        response.headers.add("Vary", "Accept-Encoding")
        if response.status_code != 200 or "gzip" not in request.accept_encodings:
            return response
        if request.endpoint == "static" and "Range" not in request.headers:
            packed = _packed_file(request.view_args["filename"])
        elif response.is_streamed or (response.content_length or 0) < SMALLEST:
            return response
        else:
            packed = gzip.compress(response.get_data(), 5)
        if hasattr(response.response, "close"):
            response.response.close()  # the opened file, which nobody reads now
        response.direct_passthrough = False
        response.set_data(packed)
        response.headers["Content-Encoding"] = "gzip"
        if "ETag" in response.headers:
            response.set_etag(response.get_etag()[0] or "", weak=True)
        return response


def _packed_file(name: str) -> bytes:
    path = Path(current_app.static_folder or "") / name
    return _packed(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _packed(path: Path, changed: int) -> bytes:
    return gzip.compress(path.read_bytes(), 9)
