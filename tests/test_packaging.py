"""pyproject.toml, environment.yml and constraints.txt say the same, and nothing of this machine is committed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

# Where conda-forge calls it otherwise: `duckdb` is the C++ tool there, and the plain names of
# Ibis and matplotlib bring a back end and a window system along.
CONDA_NAMES = {
    "duckdb": "python-duckdb",
    "ibis-framework": "ibis-framework-core",
    "jupyter-client": "jupyter_client",
    "matplotlib": "matplotlib-base",
}
EXTRAS = {"lab", "test", "spark", "postgres", "fast", "datasets"}


@pytest.fixture(scope="module")
def project(root) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def everyday(project) -> dict[str, Requirement]:
    """Core, lab and test: what a developer installs, by canonical name."""
    extras = project["optional-dependencies"]
    return by_name(project["dependencies"] + extras["lab"] + extras["test"])


@pytest.fixture(scope="module")
def pinned(root) -> dict[str, Version]:
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): Version(version) for name, version in pairs}


def by_name(lines: Iterable[str]) -> dict[str, Requirement]:
    return {canonicalize_name(r.name): r for r in map(Requirement, lines)}


def test_extras_are_the_promised_ones(project):
    assert set(project["optional-dependencies"]) == EXTRAS


def test_conda_says_the_same(root, project, everyday):
    env = yaml.safe_load((root / "environment.yml").read_text(encoding="utf-8"))
    specs = [line.partition(" ") for line in env["dependencies"] if isinstance(line, str)]
    conda = {name: SpecifierSet(versions) for name, _, versions in specs}

    expected = {CONDA_NAMES.get(name, name): r.specifier for name, r in everyday.items()}
    expected |= {"python": SpecifierSet(project["requires-python"]), "pip": SpecifierSet()}
    assert conda == expected
    assert env["channels"] == ["conda-forge"]
    assert [line for line in env["dependencies"] if isinstance(line, dict)] == [{"pip": ["-e ."]}]


def test_constraints_are_names_and_versions_only(root):
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [li for li in lines if not re.fullmatch(r"#.*|[A-Za-z0-9._-]+==[0-9][0-9a-z.]*", li)] == []


def test_constraints_satisfy_every_requirement(everyday, pinned):
    assert [str(r) for name, r in everyday.items() if name not in pinned or pinned[name] not in r.specifier] == []


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="constraints.txt was made on Python 3.11")
def test_constraints_hold_what_requirements_require(everyday, pinned):
    ahead, seen = [(r, "pyproject.toml") for r in everyday.values()], set()
    while ahead:
        requirement, asked_by = ahead.pop()
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"{name}, required by {asked_by}, is missing from constraints.txt"
        assert pinned[name] in requirement.specifier, f"{asked_by} requires {requirement}"
        for extra in {"", *requirement.extras} - {e for n, e in seen if n == name}:
            seen.add((name, extra))
            further = map(Requirement, metadata.requires(name) or ())
            ahead += [(r, name) for r in further if not r.marker or r.marker.evaluate({"extra": extra})]


def third_parties(package: Path) -> set[str]:
    """Top-level names of all imports that are neither Python's nor the package's own."""
    found = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(str(node.module).split(".")[0])
    return found - set(sys.stdlib_module_names) - {package.name}


def test_every_import_is_declared(root, project):
    """What only comes along with something else today may be gone with its next release."""
    declared = set(by_name(sum(project["optional-dependencies"].values(), project["dependencies"])))
    carriers = metadata.packages_distributions()
    undeclared = {
        name
        for name in third_parties(root / "lifecycle_kit")
        if not {canonicalize_name(carrier) for carrier in carriers.get(name, [name])} & declared
    }
    assert undeclared == set()


def test_an_undeclared_import_would_be_seen(tmp_path):
    (tmp_path / "a.py").write_text("import os.path\ndef f():\n    from tqdm.auto import tqdm\n", encoding="utf-8")
    assert third_parties(tmp_path) == {"tqdm"}


@pytest.fixture(scope="module")
def tracked(root) -> dict[str, str]:
    """Text of every file in git, by path."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git clone, so there is no list of committed files")
    files = [(p, root / p) for p in done.stdout.split("\0") if p and (root / p).is_file()]
    return {p: path.read_bytes().decode("utf-8", errors="replace") for p, path in files}


def addresses(text: str, home: Path) -> list[str]:
    """Package indexes, wheel addresses and paths below `home` that stand in a text."""
    rules = (
        "index" + r"[-_]url",
        r"find[-_]" + "links",
        r"https?://[^\s\"'<>]+/simple(?![\w-])",
        r"https?://[^\s\"'<>]+\.(?:whl|tgz|conda)\b",
        rf"(?<![\w.:/-]){re.escape(home.as_posix())}(?![\w-])",
    )
    return [m.group() for rule in rules for m in re.finditer(rule, text, flags=re.IGNORECASE)]


def test_nothing_of_this_machine_is_committed(tracked, root):
    assert {path: found for path, text in tracked.items() if (found := addresses(text, root))} == {}


@pytest.mark.parametrize(
    "text",
    [
        "pip install --extra-index" + "-url x",
        "PIP_INDEX" + "_URL=x",
        "FIND" + "_LINKS = x",
        "https:" + "//mirror.example/pypi/simple/",
        "see https:" + "//files.example/a-1.0-py3-none-any.whl now",
        "File '/home/ada/kit/lifecycle_kit/errors.py'",
    ],
)
def test_an_address_would_be_seen(text):
    assert addresses(text, Path("/home/ada/kit")) != []


@pytest.mark.parametrize("text", ["https://example.org/simple-words", "see /home/ada/kitchen", "notes/home/ada/kit"])
def test_other_addresses_are_free(text):
    assert addresses(text, Path("/home/ada/kit")) == []


def test_every_lesson_has_its_executed_notebook(root):
    sources = {p.stem for p in (root / "notebooks").glob("*.py")}
    assert {p.stem for p in (root / "notebooks").glob("*.ipynb")} == sources
