"""What the README says about settings, routes, commands and dependencies is what there is."""

import re
import tomllib
from dataclasses import fields

import yaml
from flask_openapi3 import OpenAPI
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import config
from surveyapp.domain.policy_reading import KINDS
from surveyapp.web.surfaces import SURFACES

README = (config.ROOT / "README.md").read_text()
SECTIONS = (
    "What it is",
    "Two commands",
    "The grid",
    "The main job",
    "Settings",
    "How to add a channel",
    "How to add a question type",
    "How to add an eligibility rule",
    "How to add an admin page",
    "Decisions",
    "Glossary",
    "Dependencies",
)


def section(title: str) -> str:
    found = re.search(rf"^##+ {re.escape(title)}\n(.*?)(?=^##+ |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, f"the README has no section '{title}'"
    return found[1]


def test_the_readme_has_every_section() -> None:
    assert [title for title in SECTIONS if not section(title).strip()] == []


def settings_table() -> str:
    """The table of settings as the README must hold it, made from config.py."""
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for f in fields(config.Config):
        default = f"`{f.default}`" if f.default not in ("", None) else ""
        rows.append(f"| `{f.name}` | {default} | {f.metadata['meaning'].replace('|', '/')} |")
    return "\n".join(rows)


def test_every_setting_is_documented_with_its_default_and_meaning() -> None:
    assert settings_table() in section("Settings")


def test_the_compose_file_passes_on_what_every_provider_needs_and_builds_its_image_from_what_is_there() -> None:
    given = yaml.safe_load((config.ROOT / "docs" / "compose.yaml").read_text())["x-surveyapp"]
    needed = {name for names in config.NEEDED_BY.values() for name in names}
    needed |= {"EMAIL_BACKEND", "SMS_BACKEND", "TWILIO_FROM", "TWILIO_MESSAGING_SERVICE_SID"}
    assert needed - set(given["environment"]) == set()
    copied = [line.split()[1:-1] for line in given["build"]["dockerfile_inline"].splitlines() if line[:4] == "COPY"]
    assert [path for paths in copied for path in paths if not (config.ROOT / path).exists()] == []


def test_every_direct_dependency_says_what_for_and_why_this_one() -> None:
    project = tomllib.loads((config.ROOT / "pyproject.toml").read_text())
    asked = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["postgres"],
        *project["dependency-groups"]["dev"],
    ]
    direct = {canonicalize_name(Requirement(line).name) for line in asked}
    rows = [line.split("|") for line in section("Dependencies").splitlines() if line.startswith("| `")]
    told = {
        canonicalize_name(name): (row[2].strip(), row[3].strip())
        for row in rows
        for name in re.findall(r"`([^`]+)`", row[1])
    }
    assert set(told) == direct
    assert [name for name, (what, why) in told.items() if not what or not why] == []


def test_every_route_belongs_to_a_listed_surface(app: OpenAPI) -> None:
    listed = {surface.blueprint.name for surface in SURFACES}
    strangers = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and rule.endpoint.partition(".")[0] not in listed
    }
    assert strangers == set()


def test_every_api_route_is_in_the_document(app: OpenAPI) -> None:
    documented = {re.sub(r"\{[^}]+\}", "{}", path) for path in app.api_doc["paths"]}
    served = {
        re.sub(r"<[^>]+>", "{}", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and not rule.rule.startswith("/api/v1/openapi")
    }
    assert served - documented == set()


def test_every_surface_is_in_the_readme() -> None:
    grid = section("Who may enter what")
    assert [s.blueprint.name for s in SURFACES if f"`{s.blueprint.name}`" not in grid] == []


def test_every_rule_of_a_policy_is_told_with_its_fields() -> None:
    told = (config.ROOT / "docs" / "programme-file.md").read_text()
    rows = {line.split("|")[1].strip(" `"): line.split("|")[2] for line in told.splitlines() if line.startswith("| `")}
    missing = [(kind, name) for kind, (_, names, _, _) in KINDS.items() for name in names if name not in rows[kind]]
    assert missing == []


def test_every_command_is_in_the_readme(app: OpenAPI) -> None:
    told = section("Commands")
    ours = set(app.cli.commands) - {"db", "openapi", "run", "shell", "routes"}
    assert [name for name in sorted(ours) if f"flask {name}" not in told] == []
