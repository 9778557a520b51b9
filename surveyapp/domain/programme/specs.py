"""A whole programme as frozen values: what a programme file says once it is known to be right. No behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

Texts = Mapping[str, str]  # by language


@dataclass(frozen=True, slots=True)
class BrandSpec:
    name: str
    language: str = "en"
    languages: tuple[str, ...] = ("en",)
    timezone: str = "UTC"
    colour: str | None = None
    logo: str | None = None
    privacy_url: str | None = None
    postal_address: str | None = None
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class AttributeSpec:
    key: str
    name: Texts


@dataclass(frozen=True, slots=True)
class DimensionSpec:
    key: str
    promise: str
    attributes: tuple[AttributeSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class StepSpec:
    """A step of a journey. `sensitive` is how long its event stops all asks."""

    key: str
    name: Texts
    phase: str | None = None
    event: str | None = None
    attributes: tuple[str, ...] = ()
    moment_of_truth: bool = False
    tier: int = 2
    sensitive: timedelta | None = None


@dataclass(frozen=True, slots=True)
class JourneySpec:
    """A journey. `instance` is its own word for one passage through it: a trip, a ride, a claim."""

    key: str
    name: Texts
    instance: Texts
    steps: tuple[StepSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class SurveySpec:
    """A survey. `follow_up` is `comment` or the further questions as written, which `domain/questions` reads, as it
    does `thanks`."""

    key: str
    metric: str
    about: Texts
    follow_up: str | tuple[object, ...] = "comment"
    thanks: Mapping[str, object] = field(default_factory=dict)
    group: str | None = None
    public: str | None = None
    quota: int | None = None
    closes: datetime | None = None


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """Ask as few as reach this half-width (points) per period."""

    half_width: float
    per: timedelta


@dataclass(frozen=True, slots=True)
class TriggerSpec:
    """When to ask. Either `step` (long form) or `every` is set; `tier` None means the step's own (3 where none)."""

    key: str
    survey: str
    channels: tuple[str, ...]
    step: str | None = None
    every: timedelta | None = None
    delay: timedelta = timedelta(0)
    expires: timedelta | None = None
    sample: float | TargetSpec = 1.0
    per: timedelta | None = None
    where: Mapping[str, object] = field(default_factory=dict)
    reminder_after: timedelta | None = None
    blocked: str = "drop"
    reserve: timedelta | None = None
    tier: int | None = None
    priority: int = 0
    web_for: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Programme:
    """Everything a file names. `policy` is the contact policy as written, already found readable."""

    brand: BrandSpec
    reporting_attributes: tuple[str, ...] = ()
    dimensions: tuple[DimensionSpec, ...] = ()
    journeys: tuple[JourneySpec, ...] = ()
    surveys: tuple[SurveySpec, ...] = ()
    triggers: tuple[TriggerSpec, ...] = ()
    policy: Mapping[str, object] = field(default_factory=dict)

    def steps(self) -> dict[str, StepSpec]:
        """Every step by its long form, `journey.step`."""
        return {f"{journey.key}.{step.key}": step for journey in self.journeys for step in journey.steps}
