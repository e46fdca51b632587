"""The kernel a report runs in: always this interpreter, whatever kernels the user has installed."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from typing import IO, Any

from lifecycle_kit.reports.folder import OUT_VARIABLE

__all__ = ["kernel_environment", "kernel_manager_class"]


_ENCRYPTED = {"supported_encryption": ["curve"]}


def kernel_environment(work: Path, out: Path) -> dict[str, str]:
    """Return the environment variables of a run's kernel.

    Parameters
    ----------
    work : Path
        A private folder: IPython's profile and history go there, because the home folder may be
        read-only, and the user's start-up scripts must not change a report.
    out : Path
        The folder that `report_folder` gives the notebook.
    """
    environment = {
        **os.environ,
        OUT_VARIABLE: str(out),
        "IPYTHONDIR": str(work / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(work),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # a shell's Agg would show no picture
        "PYTHONHASHSEED": "0",  # the order of sets must not change a table
    }
    home = str(Path(__file__).resolve().parents[2])
    if home not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        # run from a checkout: the notebook imports the same kit as its runner
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    environment.pop("PYTHONSTARTUP", None)
    return environment


def kernel_manager_class(work: Path, environment: dict[str, str], log: IO[bytes]) -> type[Any]:
    """Return a kernel manager that starts this interpreter's ipykernel in `environment`.

    A kernelspec named ``python3`` of the user may point at another Python; here none is looked up.
    What the process itself says on standard error goes to `log`; what cells print comes by message.
    """
    import zmq
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]

    class ThisPython(AsyncKernelManager):
        def __init__(self, **options: Any) -> None:
            super().__init__(**{**options, "connection_file": str(work / "kernel.json")})
            # from jupyter_client 8.9 on a kernel without keys warns, rightly, on standard error
            if self.has_trait("transport_encryption") and zmq.has("curve"):
                self.transport_encryption = "auto"

        @property
        def kernel_spec(self) -> KernelSpec:
            return KernelSpec(argv=command, display_name="Python 3", language="python", env={}, metadata=_ENCRYPTED)

        def start_kernel(self, *arguments: Any, **options: Any) -> Any:
            return super().start_kernel(*arguments, **{**options, "env": environment, "stderr": log})

    return ThisPython
