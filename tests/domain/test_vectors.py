"""Every figure against the reference values of the method, where they lie beside the checkout."""

import math
from datetime import date, datetime
from typing import Any

import pytest

from surveyapp.domain import (
    differences,
    drivers,
    funnel,
    gates,
    grids,
    intervals,
    reporting_day,
    sample_size,
    scores,
    weights,
)
from surveyapp.domain.scores import METRICS
from tests.reference import VECTORS, needs_vectors

pytestmark = needs_vectors

NPS = METRICS["nps"]


def near(expected: Any) -> Any:
    return pytest.approx(expected, rel=1e-4, abs=1e-4)


def histogram(counts: list[int], low: int) -> dict[int, int]:
    return {low + i: count for i, count in enumerate(counts)}


def block(name: str) -> Any:
    return VECTORS.get(name, [])


@pytest.mark.parametrize("entry", block("nps"), ids=lambda e: e["name"])
def test_nps(entry: dict[str, Any]) -> None:
    counts = scores.triple(NPS, histogram(entry["hist_0_10"], 0))
    assert counts == (entry["detractors"], entry["passives"], entry["promoters"])
    assert scores.nps(counts) == near(entry["nps"])
    assert scores.mean(histogram(entry["hist_0_10"], 0)) == near(entry["mean"])
    assert intervals.nps_variance(counts) == near(entry["var"])
    assert intervals.nps_standard_error(counts) == near(entry["se"])
    assert intervals.wald(counts) == near(tuple(entry["wald"]))
    assert intervals.adjusted_wald(counts) == near(tuple(entry["adjusted_wald"]["ci"]))
    for confidence, expected in entry["adjusted_wald_by_conf"].items():
        assert intervals.adjusted_wald(counts, float(confidence)) == near(tuple(expected))


@pytest.mark.parametrize("entry", block("nps_finite_population"), ids=lambda e: str(e["N"]))
def test_nps_finite_population(entry: dict[str, Any]) -> None:
    counts = (entry["D"], entry["Q"], entry["P"])
    shrink = intervals.finite_correction(entry["n"], entry["N"])
    assert shrink == near(entry["fpc"])
    assert intervals.nps_standard_error(counts) * shrink == near(entry["se_wald_fpc"])
    expected = [entry["nps"]] * 2 if entry["n"] == entry["N"] else entry["adjusted_wald_ci_fpc"]
    assert intervals.adjusted_wald_of_list(counts, entry["N"]) == near(tuple(expected))


@pytest.mark.parametrize("entry", [*block("csat"), *block("ces")], ids=lambda e: e["name"])
def test_shares_and_means(entry: dict[str, Any]) -> None:
    low, high = entry["scale"]
    counts = histogram(entry["hist"], low)
    top = sum(count for score, count in counts.items() if score > high - entry["top_box"])
    assert top == entry["favourable"]
    assert 100 * top / entry["n"] == near(entry["pct"])
    assert intervals.wilson(top, entry["n"]) == near(tuple(entry["wilson"]))
    assert scores.mean(counts) == near(entry["mean"])
    spread = scores.variance(counts)
    assert spread is not None
    assert math.sqrt(spread) == near(entry["sd"])
    found = intervals.mean_interval(counts)
    assert found is None if entry["mean_t_ci"] is None else found == near(tuple(entry["mean_t_ci"]))


def test_effort_keeps_its_direction() -> None:
    entry = next(e for e in VECTORS["ces"] if "original_hist_1_5" in e)
    assert scores.headline(METRICS["ces1"], histogram(entry["original_hist_1_5"], 1)) == near(entry["mean_effort"])
    assert scores.share(METRICS["ces1"], histogram(entry["original_hist_1_5"], 1)) == near(entry["pct"])


def test_pmf_leaves_those_who_say_not_applicable_out_of_the_base() -> None:
    entry = VECTORS["pmf"]
    counts = {3: entry["very"], 2: entry["somewhat"], 1: entry["not_"]}
    assert scores.answers(counts) == entry["base_excl_na"]
    assert scores.headline(METRICS["pmf"], counts) == near(entry["pct_very"])
    assert intervals.of(METRICS["pmf"], counts) == near(tuple(entry["wilson"]))


def test_disconfirmation() -> None:
    entry, metric = VECTORS["disconfirmation"], METRICS["disconfirmation"]
    counts = histogram(entry["hist"], -2)
    assert scores.headline(metric, counts) == near(entry["mean"])
    assert scores.share(metric, counts) == near(entry["met_or_exceeded_pct"])
    assert intervals.wilson(scores.favourable(metric, counts), entry["n"]) == near(tuple(entry["wilson"]))
    exceeded, unmet = counts[1] + counts[2], counts[-1] + counts[-2]
    net = (unmet, counts[0], exceeded)
    assert scores.nps(net) == near(entry["net_pct"])
    assert intervals.adjusted_wald(net) == near(tuple(entry["net_adjusted_wald"]))


def test_rollup() -> None:
    entry = VECTORS["rollup"]
    days = {day: histogram(counts, 0) for day, counts in entry["days"].items()}
    total = scores.merged(days.values())
    assert [total[k] for k in range(11)] == entry["merged"]
    assert scores.headline(NPS, total) == near(entry["nps"])
    assert intervals.of(NPS, total) == near(tuple(entry["adjusted_wald"]))
    assert scores.headline(NPS, days["2026-03-30"]) is entry["empty_day_nps"] is None


def test_simulated_error_and_the_formula_agree() -> None:
    checks = VECTORS["simulation_checks"]
    assert intervals.nps_standard_error((10, 20, 30)) == pytest.approx(checks["formula_se"], abs=0.001)


@pytest.mark.parametrize("entry", block("nps_two_sample"), ids=lambda e: e["name"])
def test_nps_two_sample(entry: dict[str, Any]) -> None:
    found = differences.of_nps(tuple(entry["a_DQP"]), tuple(entry["b_DQP"]))
    expected = entry["adjusted_wald"]
    assert found.delta == near(entry["delta"])
    assert found.interval == near(tuple(expected["ci"]))
    assert (found.standard_error, found.z) == near((expected["se"], expected["z"]))
    assert found.p == pytest.approx(expected["p"], rel=1e-2, abs=1e-8)


def test_nps_paired() -> None:
    entry = VECTORS["nps_paired"]
    found = differences.of_nps_paired(entry["table_rows_t1_cols_t2_DQP"])
    assert (found.delta, found.standard_error, found.z, found.p) == near(
        (entry["delta"], entry["se"], entry["z"], entry["p"])
    )


@pytest.mark.parametrize("entry", block("proportion_two_sample"), ids=lambda e: str(e["n1"]))
def test_proportion_two_sample(entry: dict[str, Any]) -> None:
    numbers = entry["x1"], entry["n1"], entry["x2"], entry["n2"]
    found = differences.of_shares(*numbers)
    assert (found.delta, found.z) == near((entry["diff_pct"], entry["z_pooled"]))
    assert found.interval == near(tuple(entry["newcombe_ci_pct"]))
    assert intervals.normal_tail(found.z) == near(entry["p"])
    assert differences.fisher(*numbers) == near(entry["fisher_p"])


def test_difference_in_differences() -> None:
    entry = VECTORS["difference_in_differences"]
    cells = entry["cells_DQP"]
    found = differences.in_differences(
        *(tuple(cells[k]) for k in ("treated_before", "treated_after", "control_before", "control_after"))
    )
    assert (found.delta, found.standard_error, found.z, found.p) == near(
        (entry["did_points"], entry["se"], entry["z"], entry["p"])
    )
    assert found.interval == near(tuple(entry["ci"]))


def test_mix_decomposition() -> None:
    entry = VECTORS["mix_decomposition"]
    found = differences.decomposed(
        {key: (n, value) for key, (n, value) in entry["a"].items()},
        {key: (n, value) for key, (n, value) in entry["b"].items()},
    )
    assert (found.delta, found.mix, found.performance) == near(
        (entry["delta"], entry["mix_effect"], entry["performance_effect"])
    )


def test_multiplicity() -> None:
    entry = VECTORS["multiplicity"]
    holm, bh = differences.holm(entry["p"]), differences.benjamini_hochberg(entry["p"])
    assert holm == near(entry["holm"])
    assert bh == near(entry["bh"])
    assert [p < 0.05 for p in holm] == entry["holm_reject"]
    assert [p < 0.05 for p in bh] == entry["bh_reject"]
    backwards = list(reversed(entry["p"]))
    assert differences.holm(backwards) == near(list(reversed(entry["holm"])))
    assert differences.benjamini_hochberg(backwards) == near(list(reversed(entry["bh"])))


def test_sizes() -> None:
    for entry in VECTORS["sample_size_nps_adjusted_wald"]:
        assert sample_size.for_nps(entry["moe_points"], entry["var"], entry["conf"]) == entry["n"], entry
    for entry in VECTORS["sample_size_csat"]:
        assert sample_size.for_share(entry["moe_pct"], entry["p"]) == entry["n"], entry
    for entry in VECTORS["sample_size_fpc"]:
        assert sample_size.of_list(entry["n0"], entry["N"]) == entry["n"], entry
    for entry in VECTORS["detectable_nps_difference"]:
        assert sample_size.detectable_nps(entry["n_each"], entry["var"]) == near(entry["mde_points"])


def test_gates_and_suppression() -> None:
    states = {entry["n"]: gates.gate(entry["n"]).value for entry in VECTORS["gates"]}
    assert states == {0: "no_data", 4: "suppressed", 5: "low_n", 29: "low_n", 30: "ok", 100: "ok"}
    entry = VECTORS["suppression"]
    assert gates.hidden(entry["cells"], entry["min_n"]) == set(entry["must_hide"])


def weighted(classes: list[tuple[list[int], float]]) -> weights.Weighted:
    n = {0: 0, 7: 0, 10: 0}
    w, w2 = dict(n), dict(n)
    for counts, weight in classes:
        for score, count in zip((0, 7, 10), counts, strict=True):
            n[score] += count
            w[score] += round(count * weight * weights.MICRO)
            w2[score] += round(count * weight * weight * weights.MICRO)
    return weights.Weighted(n, w, w2)


def test_weighted_nps() -> None:
    classes = VECTORS["weighted_nps"]["per_class"]
    cell = weighted([(classes["A"]["n"], 1.0), (classes["B"]["n"], 10.0)])
    expected = VECTORS["weighted_nps"]["hajek"]
    found = weights.estimate(NPS, cell)
    assert found is not None
    assert scores.headline(NPS, cell.n) == near(VECTORS["weighted_nps"]["unweighted"])
    assert (found.value, found.standard_error, found.n_eff) == near(
        (expected["est"], expected["se"], expected["kish_neff"])
    )
    assert found.interval() == near(tuple(expected["ci"]))


def test_nonresponse_weighting() -> None:
    entry = VECTORS["nonresponse_weighting"]
    found = weights.nonresponse([(c["invited"], c["responded"]) for c in entry["classes"]])
    assert found.weights == near(tuple(c["weight"] for c in entry["classes"]))
    assert not found.capped
    whole = weights.for_nonresponse(
        [(c["invited"], dict(zip((0, 7, 10), c["DQP"], strict=True))) for c in entry["classes"]]
    )
    assert whole is not None
    whole_estimate = weights.estimate(NPS, whole.cell)
    assert whole_estimate is not None
    assert (whole_estimate.value, whole_estimate.n_eff) == near(
        (entry["adjusted"]["est"], entry["adjusted"]["kish_neff"])
    )
    cell = weighted([(c["DQP"], weight) for c, weight in zip(entry["classes"], found.weights, strict=True)])
    estimate = weights.estimate(NPS, cell)
    expected = entry["adjusted"]
    assert estimate is not None
    assert scores.headline(NPS, cell.n) == near(entry["unweighted"])
    assert (estimate.value, estimate.standard_error, estimate.n_eff) == near(
        (expected["est"], expected["se"], expected["kish_neff"])
    )
    assert estimate.interval() == near(tuple(expected["ci"]))


@pytest.mark.parametrize("entry", block("aapor"), ids=lambda e: e.get("name", "usual"))
def test_aapor(entry: dict[str, Any]) -> None:
    outcomes = funnel.Outcomes(*(entry[key] for key in ("I", "P", "R", "NC", "O", "U", "e")))
    for name, rate in funnel.rates(outcomes).items():
        assert rate is None if entry[name] is None else rate == near(entry[name]), name


def test_reporting_days() -> None:
    for entry in VECTORS["reporting_day"]:
        moment = datetime.fromisoformat(entry["utc"])
        for zone in entry.keys() - {"utc"}:
            assert reporting_day.reporting_day(moment, zone) == date.fromisoformat(entry[zone]), entry
    for name, hours in VECTORS["day_length_hours"].items():
        day, zone = name.split(" ")
        assert reporting_day.day_length_hours(date.fromisoformat(day), zone) == hours
    for entry in VECTORS["iso_week"]:
        assert reporting_day.iso_week(date.fromisoformat(entry["date"])) == entry["iso"]


def test_step_impact() -> None:
    entry = VECTORS["step_impact"]
    found = drivers.step_impact(tuple(entry["satisfied_DQP"]), tuple(entry["dissatisfied_DQP"]))
    assert (found.share, found.severity) == near((entry["share_dissat"], entry["nps_sat"] - entry["nps_dissat"]))
    assert (found.value, found.standard_error) == near((entry["impact_points"], entry["se"]))
    assert found.interval == near(tuple(entry["ci"]))


def test_drivers() -> None:
    entry = VECTORS["drivers"]
    among, with_y = entry["corr_X"], entry["corr_Xy"]
    assert drivers.explained(among, with_y, (0, 1, 2)) == near(entry["r2"])
    assert drivers.solved(among, with_y) == near(entry["std_beta"])
    assert drivers.lmg(among, with_y) == near(entry["lmg"])
    assert drivers.relative_weights(among, with_y) == near(entry["relative_weights"])


def test_what_two_groups_could_have_seen_is_the_published_size_where_they_are_equal() -> None:
    for entry in VECTORS["detectable_nps_difference"]:
        spread = 1e4 * entry["var"]
        found = sample_size.detectable((spread, spread), (entry["n_each"], entry["n_each"]))
        assert found == near(entry["mde_points"])


def test_a_small_cell_of_a_grid_hides_what_would_give_it_away() -> None:
    entry = VECTORS["suppression"]
    row = {("only", name): n for name, n in entry["cells"].items()}
    away = grids.hidden(row, entry["min_n"])
    assert {column for name, column in away if name == "only"} == set(entry["must_hide"])
