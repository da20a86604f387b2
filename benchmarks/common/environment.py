"""On what a number was obtained: commit, versions, hardware."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.common.files import ROOT

CODE = (".", ":!results")
"""What a commit must hold for a run to be of that commit; what runs leave is none of it."""
PACKAGES = ("torch", "torchvision", "torch-fidelity", "scikit-learn", "numpy", "scipy")


def environment(device: str, side_by_side: int) -> dict[str, Any]:
    """Describe this checkout and machine, without names or paths of it."""
    return {
        "commit": _git("rev-parse", "HEAD"),
        "dirty": bool(_git("status", "--porcelain", "--", *CODE)),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "device": _gpu() if device == "cuda" else device,
        "runs_side_by_side": side_by_side,
    }


def _git(*arguments: str) -> str | None:
    try:
        result = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None  # not a git checkout
    return result.stdout.strip()


def _gpu() -> str:
    import torch

    return torch.cuda.get_device_name()


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()
