"""The brand's look: its one colour, from which the rest is computed, and its logo. Changes nothing else."""

from dataclasses import dataclass

from surveyapp import clock
from surveyapp.domain.palette import palette
from surveyapp.domain.programme.brand import read_brand
from surveyapp.domain.programme.fields import Reading
from surveyapp.domain.programme.tree import planted
from surveyapp.services import audit
from surveyapp.services.surveys import in_line, keep_programme
from surveyapp.services.transaction import transaction


@dataclass
class LookRefused(Exception):
    """The colour or the logo cannot be one. `field` names which, `sentence` says why."""

    field: str
    sentence: str


def change_look(colour: str | None, logo: str | None, actor: str) -> bool:
    """Whether the brand looks otherwise from now on, in the programme file too. Raises LookRefused, NoProgramme."""
    said = {"name": "x", **({"colour": colour} if colour else {}), **({"logo": logo} if logo else {})}
    reading = Reading()
    spec = read_brand(reading, planted(said))
    for problem in reading.problems:
        raise LookRefused(problem.path.rpartition(".")[2], problem.sentence)
    with transaction() as session:
        brand = in_line(session)
        if (brand.colour, brand.logo) == (spec.colour, spec.logo):
            return False
        before = {"colour": brand.colour, "logo": brand.logo}
        brand.colour, brand.logo = spec.colour, spec.logo
        brand.palette = palette(spec.colour) if spec.colour else {}
        session.flush()
        kept = keep_programme(session, actor, clock.database_now(session))
        audit.note(session, "brand.look", brand.name, {"before": before, "after": said, "programme": kept})
        return True
