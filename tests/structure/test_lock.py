"""The hashed requirement files hold what pyproject asks for."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from config import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PRODUCT = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["postgres"]]
CELERY = [*PRODUCT, *PROJECT["project"]["optional-dependencies"]["celery"]]
DEVELOPMENT = [*PRODUCT, *PROJECT["dependency-groups"]["dev"]]


def locked(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text().splitlines()
    found = [re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", line) for line in lines]
    return {canonicalize_name(match[1]): match[2] for match in found if match}


LOCKS = {"requirements.txt": PRODUCT, "requirements-dev.txt": DEVELOPMENT, "docs/requirements-celery.txt": CELERY}


@pytest.mark.parametrize(("name", "asked"), LOCKS.items())
def test_every_direct_dependency_is_locked_within_its_bounds(name: str, asked: list[str]) -> None:
    versions = locked(name)
    for requirement in map(Requirement, asked):
        version = versions.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not in {name}: make lock"
        assert version in requirement.specifier, f"{requirement} is {version} in {name}: make lock"


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_hashes(name: str) -> None:
    blocks = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / name).read_text())
    pinned = [block for block in blocks if "==" in block.splitlines()[0]]
    assert pinned
    assert [block.splitlines()[0] for block in pinned if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("larger", ["requirements-dev.txt", "docs/requirements-celery.txt"])
def test_the_other_locks_contain_the_product_lock(larger: str) -> None:
    product, other = locked("requirements.txt"), locked(larger)
    assert {name: version for name, version in product.items() if other.get(name) != version} == {}
