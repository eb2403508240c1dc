"""Everything is said in pyproject.toml, but for the two classes that compile."""

from build_backend import BuildPy, Distribution  # deploy/, by `backend-path`
from setuptools import setup

setup(distclass=Distribution, cmdclass={"build_py": BuildPy})
