"""What we ship of others: every file is in the manifest, unchanged, with its licence."""

import hashlib
import json
import re

from config import ROOT

VENDOR = ROOT / "surveyapp" / "static" / "vendor"
MANIFEST = json.loads((VENDOR / "manifest.json").read_text())
LICENCES = {"MIT", "0BSD", "OFL-1.1", "Apache-2.0"}


def test_every_vendored_file_is_in_the_manifest_and_unchanged() -> None:
    files = {path.name for path in VENDOR.iterdir() if path.is_file()} - {"manifest.json", "README.md"}
    assert {entry["file"] for entry in MANIFEST["files"]} == files
    for entry in MANIFEST["files"]:
        assert hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"], entry["file"]


def test_every_vendored_file_has_a_licence_that_lets_us() -> None:
    for entry in MANIFEST["files"]:
        assert entry["licence"] in LICENCES
        assert (VENDOR / entry["licence_file"]).read_text().strip()


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    drawn = set(re.findall(r'<symbol id="([a-z0-9-]+)"', (VENDOR / "icons.svg").read_text()))
    wanted: set[str] = set()
    for path in (ROOT / "templates").rglob("*.html"):
        wanted |= set(re.findall(r'icon\("([a-z0-9-]+)"', path.read_text()))
    reasons = (ROOT / "surveyapp" / "domain" / "reasons.py").read_text()
    wanted |= {match[1] for match in re.finditer(r'ReasonWords\("[^"]*", "[^"]*", "([a-z0-9-]+)"\)', reasons)}
    shell = (ROOT / "surveyapp" / "web" / "admin" / "shell.py").read_text()
    wanted |= {match[1] for match in re.finditer(r'Place\("[^"]*", "[^"]*", "[^"]*", "([a-z0-9-]+)"', shell)}
    assert len(wanted) > 40
    assert wanted - drawn == set()


def test_no_template_of_the_console_holds_a_style_or_a_script() -> None:
    for folder in ("admin", "auth", "errors", "macros"):
        for path in (ROOT / "templates" / folder).rglob("*.html"):
            text = path.read_text()
            assert not re.search(r"\sstyle=|<style|\son[a-z]+=|<script(?![^>]*\bsrc=)", text), path.name
