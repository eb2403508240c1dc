"""Programs of others that a test needs: where they are, or what to install."""

import os
import shutil

import pytest


def tool(name: str, package: str) -> str:
    """Its path; skips the test where it is missing, but fails it in CI, which has everything."""
    found = shutil.which(name)
    if found is not None:
        return found
    message = f"{name} is missing: apt-get install {package}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
