"""The reference material that lies beside a developer's checkout and in no user's: what reads it skips without it.

`REFERENCE` names another folder; an empty one shows what a user's checkout does.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from config import ROOT

REFERENCE = Path(os.environ.get("REFERENCE", ROOT.parent / "shared"))
PASSENGERS = REFERENCE / "data" / "airline_passenger_satisfaction.csv"
SPECIFICATIONS = REFERENCE / "specs"
_VECTORS = REFERENCE / "vectors.json"
VECTORS: dict[str, Any] = json.loads(_VECTORS.read_text()) if _VECTORS.exists() else {}

needs_passengers = pytest.mark.skipif(not PASSENGERS.exists(), reason=f"the passenger file is not at {PASSENGERS}")
needs_vectors = pytest.mark.skipif(not VECTORS, reason=f"the reference values are not at {_VECTORS}")
