"""What is associated with a score: the impact of steps on NPS, and how items share an explained variance.

Associations of people's own answers, never causes. Nothing here reads the database or words a page.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from surveyapp.domain import intervals
from surveyapp.domain.intervals import Interval

Counts = tuple[int, int, int]
Matrix = Sequence[Sequence[float]]
MOST_ITEMS = 10
LEAST_ITEMS = 3


@dataclass(frozen=True, slots=True)
class Impact:
    """Points of NPS associated with a step: `share` dissatisfied there (0–1) × `severity`, the gap in NPS."""

    n: int
    share: float
    severity: float
    value: float
    standard_error: float
    interval: Interval


def step_impact(satisfied: Counts, dissatisfied: Counts, confidence: float = 0.95) -> Impact:
    """s × (NPS of the satisfied − NPS of the dissatisfied); SE = √(s²·SE² + gap²·s(1−s)/n), raw variances.

    Both groups need answers. The counts are detractors, passives and promoters of the relational NPS.
    """
    n_yes, n_no = sum(satisfied), sum(dissatisfied)
    n = n_yes + n_no
    share = n_no / n
    gap = 100 * (satisfied[2] - satisfied[0]) / n_yes - 100 * (dissatisfied[2] - dissatisfied[0]) / n_no
    error = math.hypot(intervals.nps_standard_error(satisfied), intervals.nps_standard_error(dissatisfied))
    total = math.sqrt(share**2 * error**2 + gap**2 * share * (1 - share) / n)
    margin = intervals.z_value(confidence) * total
    value = share * gap
    return Impact(n, share, gap, value, total, Interval(value - margin, value + margin))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step lies: satisfaction (percent) and impact (points), each with its interval."""

    x: float
    across: Interval
    y: float
    up: Interval


UNDECIDABLE = "undecidable"
QUADRANTS = {
    (False, True): "repair first",
    (True, True): "keep up",
    (False, False): "watch",
    (True, False): "in order",
}
"""By (satisfaction above its line, impact above its line)."""


def quadrants(places: Mapping[str, Place]) -> tuple[float, float, dict[str, str]]:
    """The two lines, at the medians, and each step's quadrant: named only if both its intervals clear the lines."""
    line_x = median(place.x for place in places.values())
    line_y = median(place.y for place in places.values())

    def named(place: Place) -> str:
        for interval, line in ((place.across, line_x), (place.up, line_y)):
            if interval.low <= line <= interval.high:
                return UNDECIDABLE
        return QUADRANTS[place.x > line_x, place.y > line_y]

    return line_x, line_y, {name: named(place) for name, place in places.items()}


def correlations(columns: Sequence[Sequence[float]]) -> list[list[float]]:
    """Pearson's r of every pair of columns, all equally long and none constant."""
    scaled = []
    for column in columns:
        mean = math.fsum(column) / len(column)
        centred = [value - mean for value in column]
        length = math.sqrt(math.fsum(value * value for value in centred))
        scaled.append([value / length for value in centred])
    found = [[1.0] * len(columns) for _ in columns]
    for i, j in combinations(range(len(columns)), 2):
        r = math.fsum(a * b for a, b in zip(scaled[i], scaled[j], strict=True))
        found[i][j] = found[j][i] = r
    return found


def solved(matrix: Matrix, right: Sequence[float]) -> list[float]:
    """x of matrix·x = right, by elimination with pivoting. Raises ZeroDivisionError for a singular matrix."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for i in range(size):
        pivot = max(range(i, size), key=lambda k: abs(rows[k][i]))
        if abs(rows[pivot][i]) < 1e-12:
            raise ZeroDivisionError("the items repeat one another")
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for k in range(i + 1, size):
            factor = rows[k][i] / rows[i][i]
            for j in range(i, size + 1):
                rows[k][j] -= factor * rows[i][j]
    x = [0.0] * size
    for i in reversed(range(size)):
        x[i] = (rows[i][size] - math.fsum(rows[i][j] * x[j] for j in range(i + 1, size))) / rows[i][i]
    return x


def explained(among: Matrix, with_y: Sequence[float], items: Sequence[int]) -> float:
    """R² of y on those items, from correlations alone."""
    if not items:
        return 0.0
    betas = solved([[among[i][j] for j in items] for i in items], [with_y[i] for i in items])
    return math.fsum(beta * with_y[i] for beta, i in zip(betas, items, strict=True))


def lmg(among: Matrix, with_y: Sequence[float]) -> list[float]:
    """Each item's average gain of R² over all orders (Lindeman, Merenda and Gold). Sums to R²; 2^p models."""
    count = len(with_y)
    gains = [0.0] * count
    known = {
        subset: explained(among, with_y, subset)
        for size in range(count + 1)
        for subset in combinations(range(count), size)
    }
    for subset, r2 in known.items():
        for item in set(range(count)) - set(subset):
            weight = 1 / (count * math.comb(count - 1, len(subset)))
            gains[item] += weight * (known[tuple(sorted((*subset, item)))] - r2)
    return gains


def relative_weights(among: Matrix, with_y: Sequence[float]) -> list[float]:
    """Johnson's relative weights: the approximation of `lmg` through the nearest orthogonal items. Sums to R²."""
    values, vectors = _eigen(among)
    size = range(len(with_y))
    root = [
        [math.fsum(vectors[i][k] * math.sqrt(max(values[k], 0.0)) * vectors[j][k] for k in size) for j in size]
        for i in size
    ]
    betas = solved(root, with_y)
    return [math.fsum(root[i][k] ** 2 * betas[k] ** 2 for k in size) for i in size]


def _eigen(matrix: Matrix) -> tuple[list[float], list[list[float]]]:
    """Eigenvalues and column eigenvectors of a symmetric matrix, by Jacobi's rotations."""
    size = len(matrix)
    a = [list(row) for row in matrix]
    v = [[float(i == j) for j in range(size)] for i in range(size)]
    for _ in range(100):
        if math.fsum(a[i][j] ** 2 for i, j in combinations(range(size), 2)) < 1e-24:
            break
        for p, q in combinations(range(size), 2):
            if abs(a[p][q]) < 1e-18:
                continue
            angle = 0.5 * math.atan2(2 * a[p][q], a[q][q] - a[p][p])
            c, s = math.cos(angle), math.sin(angle)
            for k in range(size):
                a[k][p], a[k][q] = c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]
            for k in range(size):
                a[p][k], a[q][k] = c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]
            for k in range(size):
                v[k][p], v[k][q] = c * v[k][p] - s * v[k][q], s * v[k][p] + c * v[k][q]
    return [a[i][i] for i in range(size)], v


def enough_for(items: int) -> int:
    """How many complete answers a ranking of so many items needs: 50 + 8p."""
    return 50 + 8 * items
