"""F59, mid_webhook and mid_export: a web process killed in the middle of a call leaves nothing half done."""

import json
from pathlib import Path

import psycopg
import pytest

from surveyapp.services import keys
from tests.conftest import MakeApp
from tests.faults.fleet import dump, fleet, load_people, plain
from tests.hooks import PUBLIC, sendgrid_event, signed
from tests.providers import StandIn

PEOPLE = 5
HOOK = {"method": "POST", "path": "/hooks/sendgrid"}


@pytest.mark.database("postgresql")
def test_f59_a_call_killed_in_the_middle_leaves_nothing_and_its_repetition_counts_once(
    postgres_url: str, make_app: MakeApp, provider: StandIn, tmp_path: Path
) -> None:
    app = make_app(postgres_url)
    load_people(app, PEOPLE, steps=("check_in",), shared=0)
    with app.app_context():
        key = keys.create_key("reader", "read")
    with fleet(postgres_url, provider, SENDGRID_WEBHOOK_PUBLIC_KEY=PUBLIC) as staff:
        staff.hire()
        staff.wait_until_settled()
        with psycopg.connect(plain(postgres_url)) as connection:
            uids = [row[0] for row in connection.execute("SELECT uid FROM message ORDER BY id")]
        events = [sendgrid_event(number, "bounce", uid, type="bounce") for number, uid in enumerate(uids)]
        body, headers = signed(json.dumps(events).encode())
        hook = HOOK | {"data": body.decode(), "headers": headers}
        before = dump(postgres_url, tmp_path / "before").read_bytes()
        assert staff.call(at="mid_webhook", **hook) is None
        assert dump(postgres_url, tmp_path / "after").read_bytes() == before
        assert staff.call(**hook) == (200, 1)
        assert staff.count("state = 'failed'") == PEOPLE
        done = dump(postgres_url, tmp_path / "done").read_bytes()
        assert staff.call(**hook) == (200, 1)
        assert dump(postgres_url, tmp_path / "again").read_bytes() == done
        export = {"method": "GET", "path": "/api/v1/responses.ndjson", "headers": {"Authorization": f"Bearer {key}"}}
        assert staff.call(at="mid_export", **export) is None
        assert dump(postgres_url, tmp_path / "exported").read_bytes() == done
        assert staff.call(**export) == (200, 0)
        assert staff.kills == 2
