"""What of kustomize our manifests use, for machines that have none.

Resources, components, namespace, images, files in config maps, and patches by JSON Patch.
Anything else in a kustomization is refused, so that nothing is left out unseen. The hash that
kustomize adds to the names of config maps is not.
"""

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

__all__ = ["build"]

Manifest = dict[str, Any]
KNOWN = frozenset(
    {
        *("apiVersion", "kind", "namespace", "resources", "components", "images", "patches"),
        "configMapGenerator",
    }
)


def build(folder: Path) -> list[Manifest]:
    """The manifests of a kustomization, as ``kubectl apply -k`` would send them.

    Raises:
        ValueError: The kustomization uses something that is not known here, or a patch has no
            target.
    """
    return _build(folder, [])


def _build(folder: Path, before: list[Manifest]) -> list[Manifest]:
    """The manifests before, and what this kustomization adds and changes."""
    (kustomization,) = _load(folder / "kustomization.yaml")
    unknown = set(kustomization) - KNOWN
    if unknown:
        raise ValueError(f"{folder}: {sorted(unknown)} is not known to the tests")
    found = list(before)
    for name in kustomization.get("resources", ()):
        path = folder / name
        found += _build(path, []) if path.is_dir() else _load(path)
    for generator in kustomization.get("configMapGenerator", ()):
        _generate(folder, generator, found)
    for name in kustomization.get("components", ()):
        found = _build(folder / name, found)
    for patch in kustomization.get("patches", ()):
        _patch(folder, patch, found)
    for manifest in found:
        if "namespace" in kustomization:
            manifest["metadata"]["namespace"] = kustomization["namespace"]
        for image in kustomization.get("images", ()):
            _name_image(manifest, image)
    return found


def _generate(folder: Path, generator: dict[str, Any], found: list[Manifest]) -> None:
    made = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": generator["name"]},
        "data": {name: (folder / name).read_text(encoding="utf-8") for name in generator["files"]},
    }
    same = [one for one in found if one["metadata"]["name"] == generator["name"]]
    if generator.get("behavior") == "replace":
        (old,) = same
        found.remove(old)
    elif same:
        raise ValueError(f"{folder}: {generator['name']} is there already")
    found.append(made)


def _patch(folder: Path, patch: dict[str, Any], found: list[Manifest]) -> None:
    text = patch.get("patch") or (folder / patch["path"]).read_text(encoding="utf-8")
    operations = YAML(typ="safe").load(text)
    target = patch["target"]
    chosen = [
        one
        for one in found
        if one["kind"] == target["kind"]
        and re.fullmatch(target["name"], one["metadata"]["name"]) is not None
    ]
    if not chosen:
        raise ValueError(f"{folder}: a patch has no target {target}")
    for manifest in chosen:
        for operation in operations:
            _apply(manifest, **deepcopy(operation))


def _apply(manifest: Manifest, op: str, path: str, value: Any = None) -> None:
    """One operation of JSON Patch (RFC 6902): add, replace or remove."""
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    place: Any = manifest
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place[part]
    if isinstance(place, list):
        if op != "add" or last != "-":
            raise ValueError(f"{op} {path}: in lists only adding at the end is known")
        place.append(value)
        return
    if op != "add" and last not in place:
        raise ValueError(f"{op} {path}: there is no such member")
    if op == "remove":
        del place[last]
    else:
        place[last] = value


def _name_image(manifest: Manifest, image: dict[str, str]) -> None:
    pod = manifest.get("spec", {}).get("template", {}).get("spec", {})
    for container in pod.get("containers", ()):
        if container["image"] == image["name"]:
            container["image"] = f"{image['newName']}:{image['newTag']}"


def _load(path: Path) -> list[Manifest]:
    return list(YAML(typ="safe").load_all(path.read_text(encoding="utf-8")))
