"""The metrics' pages. Importing the package registers every route on `blueprint`; it holds nothing itself."""

from surveyapp.web.admin.dashboard import (
    afterwards,
    breakdown,
    changes,
    choices,
    compare,
    drivers,
    expectation,
    funnel,
    keeping,
    metric,
    overview,
)
from surveyapp.web.admin.dashboard.frame import blueprint

__all__ = [
    "afterwards",
    "blueprint",
    "breakdown",
    "changes",
    "choices",
    "compare",
    "drivers",
    "expectation",
    "funnel",
    "keeping",
    "metric",
    "overview",
]
