"""Builds a wheel of a source distribution with its own backend (PEP 517).

Arguments: the source distribution, the backend, and the folders of its backend path. The wheel's file name, a line feed
and its bytes go to standard output; all that the build says goes to standard error.
"""

import importlib
import os
import shutil
import sys
import tarfile
import tempfile


def main(source: str, backend: str, *path: str) -> None:
    wheel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    bench = tempfile.mkdtemp()
    folders = {name: os.path.join(bench, name) for name in ("source", "wheel")}
    for folder in folders.values():
        os.mkdir(folder)
    with tarfile.open(source) as archive:
        # Python 3.11.2 of Debian 12 has no filters yet.
        limits = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(folders["source"], **limits)
    (top,) = os.listdir(folders["source"])
    os.chdir(os.path.join(folders["source"], top))
    sys.path[:0] = [os.path.abspath(folder) for folder in path]
    module, _, attributes = backend.partition(":")
    hooks = importlib.import_module(module)
    for attribute in filter(None, attributes.split(".")):
        hooks = getattr(hooks, attribute)
    name = hooks.build_wheel(folders["wheel"])
    with wheel, open(os.path.join(folders["wheel"], name), "rb") as built:
        wheel.write(name.encode() + b"\n")
        shutil.copyfileobj(built, wheel)


main(*sys.argv[1:])
