"""The figure weighted for who answers, beside the plain one, with what it is worth and a sentence. Not a page."""

from dataclasses import dataclass, replace

from surveyapp.domain import gates, weights
from surveyapp.domain.weights import Answering
from surveyapp.extensions import db
from surveyapp.queries.funnel import Funnel, FunnelFilters, invited_by
from surveyapp.queries.metrics import Figure, Sums, drawn
from surveyapp.web.admin import figures, formats
from surveyapp.web.admin.dashboard.address import Asked

MOST = 100_000
"""From so many invitations on they are not sorted into classes: a page must not wait for that."""


@dataclass(frozen=True)
class Weighed:
    """The figure weighted by the inverse response rate of each class; None where it is worth too little."""

    figure: figures.Drawn | None
    n_eff: str
    sentence: str


def weighed(asked: Asked, found: Funnel, wanted: FunnelFilters, aside: list[str]) -> Weighed | None:
    """The weighted figure of the answers to invitations; None where nobody answered one or too few did to show."""
    if not found.confirmed or found.sent > MOST or aside:
        return None
    attributes = asked.choices.attributes if asked.choices else ()
    name = attributes[0].name if attributes else None
    classes = [(one.n, one.scores) for one in invited_by(db.session(), wanted, name).values()]
    answering = weights.for_nonresponse(classes)
    if answering is None:
        return None
    sums = Sums(dict(answering.cell.n), dict(answering.cell.w), dict(answering.cell.w2))
    plain, figure = drawn(asked.metric, sums), drawn(asked.metric, sums, weighted=True)
    if plain.value is None:
        return None
    of = "channel × step" + (f" × {name.replace('_', ' ')}" if name else "")
    n_eff = formats.number(figure.n_eff)
    if figure.value is None:
        return Weighed(None, n_eff, f"By response rate: refused, these answers are worth only {n_eff} after weighting.")
    shown = figures.drawn(replace(figure, status=gates.Status.OK))
    return Weighed(shown, n_eff, _sentence(plain, figure, answering, of))


def _sentence(plain: Figure, figure: Figure, answering: Answering, of: str) -> str:
    """What the weights are, and what they change."""
    if answering.classes == 1:
        answers = formats.counted(plain.n, "answer")
        return f"By response rate: the same as the {answers} unweighted, since no two groups ({of}) have 30 each."
    shift = (figure.value or 0.0) - (plain.value or 0.0)
    told = [f"{answering.classes} groups ({of})"]
    told += [f"{answering.joined} small ones as one"] if answering.joined else []
    told += ["none above 5 times the median weight"] if answering.capped else []
    what = f"By response rate: {', '.join(told)}. "
    if round(abs(shift), 1) == 0:
        return what + "No difference: who answers seldom says the same."
    way = "lower" if shift < 0 else "higher"
    raw = formats.number(plain.value or 0.0, 1)
    return f"{what}The {formats.counted(plain.n, 'answer')} to an ask give {raw} unweighted; it is {way} " + (
        f"since groups that answer seldom have {way} scores."
    )
