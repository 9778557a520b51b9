"""The programme file: its values, how they are read from a tree, and how they are written back. No YAML, no tables."""

from surveyapp.domain.programme.reading import read_programme
from surveyapp.domain.programme.specs import (
    AttributeSpec,
    BrandSpec,
    DimensionSpec,
    JourneySpec,
    Programme,
    StepSpec,
    SurveySpec,
    TargetSpec,
    TriggerSpec,
)
from surveyapp.domain.programme.surveys import channel_notes
from surveyapp.domain.programme.tree import Listing, Node, Problem, Scalar, Table

__all__ = [
    "AttributeSpec",
    "BrandSpec",
    "DimensionSpec",
    "JourneySpec",
    "Listing",
    "Node",
    "Problem",
    "Programme",
    "Scalar",
    "StepSpec",
    "SurveySpec",
    "Table",
    "TargetSpec",
    "TriggerSpec",
    "channel_notes",
    "read_programme",
]
