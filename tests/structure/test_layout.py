"""The house keeps its shape: top level, rooms, sizes, names."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from config import ROOT

PACKAGE = ROOT / "surveyapp"
TOP_FOLDERS = {"surveyapp", "migrations", "templates", "tests", "docs"}
TOP_FILES = {
    "wsgi.py",
    "config.py",
    "pyproject.toml",
    "README.md",
    "Makefile",
    "LICENSE",
    "CHANGELOG.md",
    "requirements.txt",
    "requirements-dev.txt",
}
DRAWERS = {"utils", "util", "helpers", "helper", "common", "core", "misc", "manager"}
MIRRORED = ("domain", "queries", "services", "channels", "web", "jobs", "cli")
ROOMS = ("domain", "models", "queries", "services", "channels", "web", "jobs", "cli", "catalog", "static")
WITH_README = (*(f"surveyapp/{room}" for room in ROOMS), "templates", "tests", "migrations")


def tracked() -> list[Path]:
    """Every file that git would keep, those not yet added included."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).exists()]


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_the_top_level_holds_what_the_house_names_and_nothing_else() -> None:
    names = {path.relative_to(ROOT).parts for path in tracked()}
    folders = {parts[0] for parts in names if len(parts) > 1 and not parts[0].startswith(".")}
    files = {parts[0] for parts in names if len(parts) == 1 and not parts[0].startswith(".")}
    assert folders <= TOP_FOLDERS
    assert {"surveyapp", "migrations", "templates", "tests"} <= folders
    assert files == TOP_FILES


def test_no_file_outgrows_its_size() -> None:
    too_long = {}
    for path in sources():
        limit = 300 if path.is_relative_to(PACKAGE / "domain") else 400
        lines = len(path.read_text().splitlines())
        if lines > limit:
            too_long[str(path.relative_to(ROOT))] = lines
    assert too_long == {}


def test_no_function_outgrows_its_size() -> None:
    too_long = {}
    for path in sources():
        for function in functions(parsed(path)):
            assert function.end_lineno is not None
            lines = function.end_lineno - function.lineno + 1
            if lines > 60:
                too_long[f"{path.relative_to(ROOT)}:{function.name}"] = lines
    assert too_long == {}


def test_nine_functions_in_ten_stay_under_forty_lines() -> None:
    lengths = [
        (function.end_lineno or 0) - function.lineno + 1 for path in sources() for function in functions(parsed(path))
    ]
    assert sum(length <= 40 for length in lengths) >= 0.9 * len(lengths)


def test_there_are_no_drawers() -> None:
    assert [
        str(path) for path in tracked() if path.stem.lower() in DRAWERS or path.parent.name.lower() in DRAWERS
    ] == []


def test_no_import_hides_inside_a_function() -> None:
    hidden = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources()
        for function in functions(parsed(path))
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_the_domain_imports_the_standard_library_only() -> None:
    foreign = []
    for path in sorted((PACKAGE / "domain").rglob("*.py")):
        for node in ast.walk(parsed(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            foreign += [
                f"{path.name}: {name}"
                for name in names
                if name.split(".")[0] not in sys.stdlib_module_names and not name.startswith("surveyapp.domain")
            ]
    assert foreign == []


def test_only_the_config_reads_the_environment() -> None:
    readers = [
        str(path.relative_to(ROOT))
        for path in sources()
        if "os.environ" in path.read_text() or "getenv" in path.read_text()
    ]
    assert readers == []


def test_only_one_file_commits() -> None:
    committers = [
        str(path.relative_to(ROOT))
        for path in sources()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]
    assert committers == ["surveyapp/services/transaction.py"]


def test_only_the_clock_asks_the_time() -> None:
    askers = []
    for path in sources():
        if path == PACKAGE / "clock.py":
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in {
                "datetime.now",
                "datetime.utcnow",
                "date.today",
                "time.time",
            }:
                askers.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert askers == []


def test_every_module_says_what_it_owns() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sources()
        if path.read_text().strip() and not ast.get_docstring(parsed(path))
    ]
    assert silent == []


@pytest.mark.parametrize("folder", WITH_README)
def test_every_room_has_a_short_readme(folder: str) -> None:
    lines = (ROOT / folder / "README.md").read_text().splitlines()
    assert 5 <= len(lines) <= 15


def test_tests_mirror_the_package() -> None:
    for room in MIRRORED:
        assert any((ROOT / "tests" / room).rglob("test_*.py")), f"no test in tests/{room}"


def test_the_import_contracts_hold() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_nothing_names_a_place_to_download_from() -> None:
    """The lock and the recipes work against whatever package index the machine is set up for."""
    recipes = ["Makefile", ".ci/run", ".ci/install", "requirements.txt", "requirements-dev.txt", "pyproject.toml"]
    told = [
        name
        for name in recipes
        if "http://" in (text := (ROOT / name).read_text()).replace("http://127.0.0.1", "") or "https://" in text
    ]
    assert told == []
    assert not (ROOT / "uv.lock").exists() or (ROOT / "uv.lock") not in tracked()
