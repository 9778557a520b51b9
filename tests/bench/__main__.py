"""`python -m tests.bench`: runs the benchmarks, prints a table of ratios, writes bench.json. A miss is no failure."""

import argparse
import json
import time
from pathlib import Path

from tests.bench.harness import Bench, Result
from tests.bench.registry import BENCHES

OUTPUT = Path(__file__).parents[2] / "bench.json"


def main() -> None:
    """Run what is asked for, in the registry's order."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Ratios against floors of the same run.")
    parser.add_argument("--quick", action="store_true", help="less data, shorter runs: a look, not a measurement")
    parser.add_argument("--only", nargs="+", choices=list(BENCHES), metavar="NAME", help=", ".join(BENCHES))
    options = parser.parse_args()
    bench, results = Bench(options.quick), []
    try:
        for name in options.only or BENCHES:
            began = time.monotonic()
            found = BENCHES[name](bench)
            results += found
            for result in found:
                print(line(result), flush=True)
            print(f"  ({name} took {time.monotonic() - began:.0f} s)", flush=True)
    finally:
        bench.stop()
    OUTPUT.write_text(json.dumps({"results": [as_json(result) for result in results]}, indent=1) + "\n")
    missed = [result.name for result in results if not result.reached]
    print(
        f"\n{len(results) - len(missed)} of {len(results)} reached" + (f"; not: {', '.join(missed)}" if missed else "")
    )


def line(result: Result) -> str:
    """One row of the table, its details behind it."""
    sign = "≥" if result.better == "higher" else "≤"
    verdict = "" if result.reached else "  MISSED"
    detail = " · ".join(f"{key.replace('_', ' ')} {value:,}" for key, value in result.detail.items())
    return f"{result.name:34}{result.ratio:8.2f}  {sign} {result.target:<6g}{detail}{verdict}"


def as_json(result: Result) -> dict[str, object]:
    """The result as bench.json holds it."""
    return {
        "name": result.name,
        "ratio": round(result.ratio, 4),
        "target": result.target,
        "better": result.better,
        "detail": result.detail,
    }


if __name__ == "__main__":
    main()
