"""The drawing of the house in CONTRIBUTING.md, held by reading every import of the package.

The checks are functions of a folder, so that each is also tried on a small planted tree that breaks it.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = "lifecycle_kit"

# Downward only; rooms on one line are siblings and do not know each other.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors",),
    ("calendar", "export", "lock", "yaml_lines"),
    ("engine",),
    ("contract",),
    ("datasets",),
    ("simulate",),
    ("stages",),
    ("movement",),
    ("kpis",),
    ("journeys",),
    ("clv",),
    ("churn",),
    ("activation",),
    ("reports",),
    ("course",),
    ("cli",),
    ("__main__",),
)
# Apart: draws what it is given. Result classes reach it from inside a method, nobody else does.
PLOTS = "plots"
PLOTS_MAY_IMPORT = {"errors"}

# Third parties that one room alone may import, so that changing them is changing one room.
OWNERS = {
    "duckdb": "engine",
    "psycopg": "engine",
    "pyspark": "engine",
    "matplotlib": "plots",
    "seaborn": "plots",
    "nbclient": "reports",
    "nbconvert": "reports",
    "papermill": "reports",
    "click": "cli",
}
COMPUTING = {"ibis", "pyarrow", "scipy", "sklearn", "sqlglot", "statsmodels"}
CATCH_ALLS = {"common", "helper", "helpers", "misc", "util", "utils"}
LONGEST = 400
HEAVY = {"duckdb", "ibis", "matplotlib", "numba", "pandas", "papermill", "pyarrow", "scipy", "seaborn", "sklearn"}


@dataclass(frozen=True)
class Import:
    """One imported name: where it stands and what it points at."""

    module: str
    line: int
    target: str
    name: str | None
    in_function: bool
    for_types: bool

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}" + (f".{self.name}" if self.name else "")


def modules(package: Path) -> dict[str, Path]:
    """Dotted name of every module below `package`, with its file."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(package: Path) -> list[Import]:
    """Every import in the package, wherever it stands in its file."""
    known = modules(package)
    found: list[Import] = []
    for module, path in known.items():
        inside = module if path.name == "__init__.py" else module.rpartition(".")[0]
        found += _imports_of(ast.parse(path.read_text(encoding="utf-8")), module, inside, known)
    return found


def _imports_of(
    node: ast.AST, module: str, inside: str, known: dict[str, Path], in_function: bool = False, for_types: bool = False
) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(module, child.lineno, alias.name, None, in_function, for_types)
        elif isinstance(child, ast.ImportFrom):
            base = child.module or ""
            if child.level:
                above = inside.split(".")[: len(inside.split(".")) - child.level + 1]
                base = ".".join([*above, *filter(None, [base])])
            for alias in child.names:
                submodule = f"{base}.{alias.name}"
                target, name = (submodule, None) if submodule in known else (base, alias.name)
                yield Import(module, child.lineno, target, name, in_function, for_types)
        else:
            function = in_function or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            typed = for_types or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test))
            yield from _imports_of(child, module, inside, known, function, typed)


def room(module: str) -> str:
    """Room a module of the package stands in; empty for the package's own `__init__`."""
    return [*module.split("."), ""][1]


def against_the_layers(package: Path) -> list[str]:
    """Imports that go up, or across to a sibling, or into a room that is not in the drawing."""
    level = {name: i for i, names in enumerate(LAYERS) for name in names} | {PLOTS: -1}
    wrong = [f"{m}: room {room(m)!r} is not in LAYERS" for m in modules(package) if room(m) not in {*level, ""}]
    for i in imports(package):
        here, there = room(i.module), room(i.target)
        if i.target.split(".")[0] != package.name or here == "" or here == there or {here, there} - {*level, ""}:
            continue
        if here == PLOTS:
            allowed = there in PLOTS_MAY_IMPORT
        elif there == PLOTS:
            allowed = i.in_function
        elif there == "":
            allowed = here in {"cli", "__main__"}  # the public names stand above every room but these
        else:
            allowed = level[there] < level[here]
        if not allowed:
            wrong.append(str(i))
    return wrong


def circles(package: Path) -> list[str]:
    """Modules that reach themselves by following imports, lazy ones included."""
    graph: dict[str, set[str]] = {m: set() for m in modules(package)}
    for i in imports(package):
        if i.target in graph and not i.for_types:
            graph[i.module].add(i.target)
    found = []
    for start in graph:
        seen: set[str] = set()
        ahead = set(graph[start])
        while ahead - seen:
            step = (ahead - seen).pop()
            seen.add(step)
            ahead |= graph[step]
        if start in seen:
            found.append(f"{start} is part of a circle")
    return found


def out_of_their_room(package: Path) -> list[str]:
    """Third parties imported outside the room that owns them. Names for types alone are free."""
    wrong = []
    for i in imports(package):
        third, here = i.target.split(".")[0], room(i.module)
        owner = OWNERS.get(third)
        if not i.for_types and ((owner and here != owner) or (here == PLOTS and third in COMPUTING)):
            wrong.append(str(i))
    return wrong


def private_across_rooms(package: Path) -> list[str]:
    """Names taken from another room that it does not offer in `__all__`."""
    offered = {m: _all_of(p) for m, p in modules(package).items()}
    wrong = []
    for i in imports(package):
        if i.target not in offered or room(i.target) == room(i.module):
            continue
        names = offered[i.target]
        private_module = any(part.startswith("_") and part != "__main__" for part in i.target.split("."))
        if private_module or (i.name and (i.name not in names if names is not None else i.name.startswith("_"))):
            wrong.append(str(i))
    return wrong


def _all_of(path: Path) -> set[str] | None:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            return {e.value for e in ast.walk(node.value) if isinstance(e, ast.Constant) and isinstance(e.value, str)}
    return None


def catch_alls(package: Path) -> list[str]:
    """Modules and folders named after nothing in particular."""
    return [m for m in modules(package) if CATCH_ALLS & set(m.split("."))]


def too_long(package: Path) -> list[str]:
    """Modules with more lines than one idea needs."""
    lines = {m: len(p.read_text(encoding="utf-8").splitlines()) for m, p in modules(package).items()}
    return [f"{m} has {n} lines" for m, n in lines.items() if n > LONGEST]


def loaded_by(statement: str) -> set[str]:
    """Top-level names of all modules that are loaded after a statement in a fresh Python."""
    code = f"{statement}\nimport sys\nprint(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


CHECKS = (against_the_layers, circles, out_of_their_room, private_across_rooms, catch_alls, too_long)


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_house_is_in_order(check, root):
    assert check(root / PACKAGE) == []


def test_rooms_are_in_the_drawing(root):
    drawing = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rooms = {room(m) for m in modules(root / PACKAGE)} - {"", "__main__"}
    assert [r for r in sorted(rooms) if f"{r}/" not in drawing and f"{r}.py" not in drawing] == []


def test_import_is_light():
    assert loaded_by(f"import {PACKAGE}") & HEAVY == set()


def test_a_heavy_import_would_be_seen():
    assert "pandas" in loaded_by("import pandas")


PLANTED = {
    "upward": (against_the_layers, {"engine/a.py": "from lifecycle_kit.stages import b", "stages/b.py": ""}),
    "upward, relative": (against_the_layers, {"engine/a.py": "from ..stages.b import x", "stages/b.py": "x = 1"}),
    "upward, for types": (
        against_the_layers,
        {"engine/a.py": "if TYPE_CHECKING:\n    from lifecycle_kit.stages.b import x", "stages/b.py": "x = 1"},
    ),
    "sibling": (against_the_layers, {"calendar.py": "import lifecycle_kit.yaml_lines", "yaml_lines.py": ""}),
    "unknown room": (against_the_layers, {"attic/a.py": ""}),
    "plots at the top of a file": (
        against_the_layers,
        {"stages/a.py": "from lifecycle_kit.plots.b import draw", "plots/b.py": "def draw(): ..."},
    ),
    "plots import a room": (against_the_layers, {"plots/a.py": "def f():\n    import lifecycle_kit.stages"}),
    "public names from below": (against_the_layers, {"stages/a.py": "from lifecycle_kit import snapshot"}),
    "circle in a room": (
        circles,
        {"stages/a.py": "from lifecycle_kit.stages import b", "stages/b.py": "def f():\n    from . import a"},
    ),
    "duckdb outside engine": (out_of_their_room, {"stages/a.py": "def f():\n    import duckdb.typing"}),
    "matplotlib outside plots": (out_of_their_room, {"reports/a.py": "from matplotlib import pyplot"}),
    "papermill outside reports": (out_of_their_room, {"cli.py": "import papermill"}),
    "plots compute": (out_of_their_room, {"plots/a.py": "from scipy import stats"}),
    "private name": (private_across_rooms, {"stages/a.py": "from lifecycle_kit.errors import _x", "errors.py": ""}),
    "name not offered": (
        private_across_rooms,
        {"stages/a.py": "from lifecycle_kit.errors import x", "errors.py": "__all__ = ['y']\nx = y = 1"},
    ),
    "catch-all": (catch_alls, {"stages/utils.py": ""}),
    "catch-all folder": (catch_alls, {"helpers/__init__.py": ""}),
    "long": (too_long, {"stages/a.py": "x = 1\n" * (LONGEST + 1)}),
}

ALLOWED = {
    "errors.py": "__all__ = ['Oops']\nclass Oops(Exception): ...",
    "engine/base.py": "import duckdb\nfrom lifecycle_kit.errors import Oops",
    "plots/draw.py": "import matplotlib\nfrom ..errors import Oops\n\ndef draw(): ...",
    "stages/result.py": (
        "if TYPE_CHECKING:\n    from matplotlib.axes import Axes\n"
        "class R:\n    def plot(self):\n        from lifecycle_kit.plots.draw import draw\n        return draw()\n"
    ),
    "cli.py": "import click\nfrom lifecycle_kit import anything\nfrom lifecycle_kit.stages.result import R",
}


def plant(folder: Path, files: dict[str, str]) -> Path:
    package = folder / PACKAGE
    for name, text in {"__init__.py": "", **files}.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for inside in filter(Path.is_dir, package.iterdir()):
        (inside / "__init__.py").touch()
    return package


@pytest.mark.parametrize("case", PLANTED)
def test_each_check_sees_what_breaks_it(case, tmp_path):
    check, files = PLANTED[case]
    assert check(plant(tmp_path, files)) != []


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_each_check_lets_a_good_house_stand(check, tmp_path):
    assert check(plant(tmp_path, ALLOWED)) == []
