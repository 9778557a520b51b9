"""What is worth packing is packed, and comes out as it went in."""

import gzip
from pathlib import Path

from flask.testing import FlaskClient


def test_a_static_file_travels_packed_and_is_the_file(client: FlaskClient) -> None:
    folder = Path(client.application.static_folder or "")
    name = max(folder.rglob("*.css"), key=lambda path: path.stat().st_size).relative_to(folder)
    plain = (folder / name).read_bytes()
    packed = client.get(f"/static/{name}", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain
    assert len(packed.data) < len(plain) / 4
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert "Content-Encoding" not in client.get(f"/static/{name}").headers


def test_an_unchanged_file_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get("/static/css/console.css", headers={"Accept-Encoding": "gzip"})
    again = client.get(
        "/static/css/console.css", headers={"Accept-Encoding": "gzip", "If-None-Match": first.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")


def test_a_page_travels_packed_and_a_short_answer_as_it_is(client: FlaskClient) -> None:
    page = client.get("/api/v1/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(page.data).startswith(b"{")
    assert "Content-Encoding" not in client.get("/healthz", headers={"Accept-Encoding": "gzip"}).headers
