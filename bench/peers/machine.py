"""What a race was run on."""

import os
import platform
import subprocess


def machine(cores):
    processor = platform.processor()
    try:
        for line in open("/proc/cpuinfo"):
            if line.startswith("model name"):
                processor = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return {"processor": processor, "cores": len(cores), "system": platform.platform()}


def load():
    return round(os.getloadavg()[0], 1)


def commit(root):
    if "COHORT_COMMIT" in os.environ:
        return os.environ["COHORT_COMMIT"]
    try:
        return subprocess.run(["git", "-C", root, "describe", "--always", "--abbrev=12", "--dirty"], capture_output=True,
                              text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
