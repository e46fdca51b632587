"""Other packages, in an environment of their own: made once per machine from the package index, never imported here."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from measure import Cost, cost_of

__all__ = ["PACKAGES", "cost_of_peer", "peer_python"]

# retentioneering for graphs, marketing-attribution-models (MAM) for Markov chains; checks beside ours, no dependencies
PACKAGES = ("retentioneering==5.2.4", "marketing-attribution-models==2.1.1")


def peer_python() -> str | None:
    """Return the Python that has the peers; None where they cannot be installed."""
    folder = Path(tempfile.gettempdir()) / "lifecycle-bench-peers"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        done = subprocess.run([str(python), "-m", "pip", "install", "-q", *PACKAGES], capture_output=True, check=False)
        if done.returncode:
            return None
        (folder / "ready").touch()
    return str(python)


def cost_of_peer(code: str, *arguments: object) -> Cost:
    """Run code with one ``with measured():`` block in the peers' environment."""
    python = peer_python()
    assert python is not None
    return cost_of(code, *arguments, python=python)
