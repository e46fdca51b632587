"""Other packages, in environments of their own: made once per machine from the package index, never imported here."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from measure import Cost, cost_of

__all__ = ["PACKAGES", "cost_of_peer", "peer_file", "peer_python"]

# checks beside ours, no dependencies; one environment per pandas that they need
PACKAGES = {
    # graphs, and Markov chains (marketing-attribution-models, MAM)
    "journeys": ("retentioneering==5.2.4", "marketing-attribution-models==2.1.1"),
    # customer value; the last lifetimes is of 2020
    "lifetimes": ("lifetimes==0.11.3", "pandas<3"),
    "clvkit": ("clvkit==0.2.1",),
}


@cache
def peer_python(name: str = "journeys") -> str | None:
    """Return the Python that has the peers of this environment; None where they cannot be installed, which is said."""
    suffix = "" if name == "journeys" else f"-{name}"
    folder = Path(tempfile.gettempdir()) / f"lifecycle-bench-peers{suffix}"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "-q", *PACKAGES[name]]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            print(f"{' '.join(PACKAGES[name])} cannot be installed here: {reason}")
            return None
        (folder / "ready").touch()
    return str(python)


def peer_file(name: str, *path: str) -> Path:
    """Return the path of a file that a peer's package ships."""
    python = peer_python(name)
    assert python is not None
    return next(Path(python).parent.parent.glob("lib/python3*/site-packages")).joinpath(*path)


def cost_of_peer(code: str, *arguments: object, name: str = "journeys", repeat: int = 1) -> Cost:
    """Run code with one ``with measured():`` block in the peers' environment."""
    python = peer_python(name)
    assert python is not None
    return cost_of(code, *arguments, python=python, repeat=repeat)
