"""All benchmarks, by the name under which `--only` finds them. Add yours as one line."""

from collections.abc import Callable, Mapping

from tests.bench import (
    answers,
    claims,
    decisions,
    dispatch,
    figures,
    hot_cells,
    intake,
    ledger_size,
    simulations,
    widget,
)
from tests.bench.harness import Bench, Result

BENCHES: Mapping[str, Callable[[Bench], list[Result]]] = {
    "decide": decisions.decide_rate,
    "ledger_size": ledger_size.decision_by_ledger_size,
    "answers": answers.stored,
    "claims": claims.locked_path,
    "intake": intake.events,
    "send": dispatch.one_worker,
    "connections": dispatch.connections,
    "simulation": simulations.events_per_second,
    "figures": figures.pages,
    "hot_cell": hot_cells.hot_cell,
    "csv": hot_cells.csv_out,
    "widget_bytes": widget.bytes_sent,
    "widget_offers": widget.offers_per_second,
}
