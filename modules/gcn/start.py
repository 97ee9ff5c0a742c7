"""Imports the files of this service, which lie apart in the store, and runs it: `start.py CONFIG WORD…`."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType


def load(name: str, path: str) -> ModuleType:
    """Imports a file as a module of this name."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"`{path}` is no file of Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def main(arguments: list[str]) -> int:
    """Runs the service; its exit code."""
    files: dict[str, str] = json.loads(Path(arguments[0]).read_bytes())["code"]
    # Each needs only those before it.
    modules = [load(name, files[name]) for name in ("broker", "letters", "courier", "voevent_gcn")]
    code: int = modules[-1].main(arguments)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
