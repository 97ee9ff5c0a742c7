"""Has pip take a source distribution as it is, and run nothing of it.

Python imports a module of this name when it starts. In the process in which pip asks a build backend (PEP 517) it names
itself as that backend, whose answers are in the source distribution already.
"""

import email
import os

for _hooks in ("_PYPROJECT_HOOKS_", "PEP517_"):
    if _hooks + "BUILD_BACKEND" in os.environ:
        os.environ[_hooks + "BUILD_BACKEND"] = "sitecustomize"
        os.environ.pop(_hooks + "BACKEND_PATH", None)


def get_requires_for_build_wheel(config_settings=None):
    return []


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    with open("PKG-INFO", encoding="utf-8") as file:
        text = file.read()
    said = email.message_from_string(text)
    name = "%s-%s.dist-info" % (said["Name"].replace("-", "_"), said["Version"])
    os.mkdir(os.path.join(metadata_directory, name))
    with open(os.path.join(metadata_directory, name, "METADATA"), "w", encoding="utf-8") as file:
        file.write(text)
    return name
