"""Renew or check the lock files that the development server is assembled from.

    python scripts/renew_opensearch_locks.py --check [VERSION ...]    download every artifact, compare checksums
    python scripts/renew_opensearch_locks.py [VERSION ...]            resolve anew with `mvn` and write the lock files

Resolving needs `mvn` on the PATH, because its choice of versions is the one the server was built with; downloading is
done by the same code as in the package. Without versions, every lock file there is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.devserver.distribution.artifacts import ArtifactStore, download_with_jgo
from opensearch_neural_sparse.devserver.distribution.lock import (
    LOCK_FORMAT,
    Artifact,
    known_profiles,
    known_versions,
    load_lock,
)
from opensearch_neural_sparse.errors import DevServerError

LOCKS = Path(__file__).parent.parent / "integrations/opensearch_neural_sparse/devserver/distribution/locks"
DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
PLUGIN_GROUP = "org.opensearch.plugin"
COMPILER = "org.eclipse.jdt:ecj:3.42.0"
NOT_NEEDED = {"xercesImpl", "xml-apis", "junit"}
NATIVES = ["ai.djl.pytorch:pytorch-native-cpu:jar:linux-x86_64:2.5.1", "ai.djl.pytorch:pytorch-jni:2.5.1-0.32.0"]
"""The PyTorch that ml-commons names in its DJL; the JNI of DJL 0.31.1 itself is not in the registry for it."""
WITH_SECURITY = {"2.19.1"}
"""Versions whose security plugin is in the registry."""


def roots_of_lib(version: str) -> list[str]:
    """The server, and what its pom calls optional but which it needs to run."""
    jna = "5.13.0" if version.startswith("2.") else "5.16.0"
    return [
        f"org.opensearch:opensearch:{version}",
        f"org.opensearch:opensearch-plugin-classloader:{version}",
        f"net.java.dev.jna:jna:{jna}",
        "org.locationtech.spatial4j:spatial4j:0.7",
        "org.locationtech.jts:jts-core:1.15.0",
    ]


def modules_of(version: str) -> dict[str, tuple[str, str, list[str]]]:
    """Name -> main class, the module it extends, and the artifacts it starts from."""
    infix = "" if version.startswith("2.") else "Module"
    modules = {
        "lang-painless": (
            f"org.opensearch.painless.Painless{infix}Plugin",
            "",
            ["lang-painless", "opensearch-scripting-painless-spi"],
        ),
        "analysis-common": (
            f"org.opensearch.analysis.common.CommonAnalysis{infix}Plugin",
            "lang-painless",
            ["analysis-common"],
        ),
        "mapper-extras": (f"org.opensearch.index.mapper.MapperExtras{infix}Plugin", "", ["mapper-extras-client"]),
        "reindex": (f"org.opensearch.index.reindex.Reindex{infix}Plugin", "", ["reindex-client"]),
        "transport-netty4": (f"org.opensearch.transport.Netty4{infix}Plugin", "", ["transport-netty4-client"]),
    }
    if not version.startswith("2."):
        grpc = ["transport-grpc", "transport-grpc-spi"]
        modules["transport-grpc"] = ("org.opensearch.transport.grpc.GrpcPlugin", "", grpc)
    return dict(sorted(modules.items()))


def plugin_of(version: str, name: str) -> str:
    return f"{PLUGIN_GROUP}:{name}:zip:{version}.0"


def profiles_of(version: str) -> dict[str, Any]:
    """Profile -> what it adds to lib/, to the plugins and as native libraries."""
    job_scheduler = plugin_of(version, "opensearch-job-scheduler")
    plugins = {"opensearch-job-scheduler": job_scheduler, "opensearch-ml": plugin_of(version, "opensearch-ml-plugin")}
    cipher = [] if version.startswith("2.") else ["org.bouncycastle:bc-fips:2.1.2"]  # else a connector ends the node
    profiles: dict[str, Any] = {"ml": {"lib": cipher, "plugins": plugins, "natives": NATIVES}}
    if version in WITH_SECURITY:
        security = plugin_of(version, "opensearch-security")
        profiles["security"] = {"lib": [], "plugins": {"opensearch-security": security}, "natives": []}
    return profiles


def resolve(roots: list[str]) -> list[str]:
    """Return the coordinates of the runtime closure, as Maven chooses the versions."""
    rows = "".join(
        "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>".format(
            *root.split(":")
        )
        for root in roots
    )
    own = "<groupId>lock</groupId><artifactId>lock</artifactId><version>1</version>"
    with tempfile.TemporaryDirectory() as folder:
        pom, listing = Path(folder, "pom.xml"), Path(folder, "list")
        pom.write_text(f"<project><modelVersion>4.0.0</modelVersion>{own}<dependencies>{rows}</dependencies></project>")
        options = ["-DincludeScope=runtime", f"-DoutputFile={listing}"]
        subprocess.run(
            ["mvn", "-B", "-q", "-Dstyle.color=never", "-f", str(pom), f"{DEPENDENCY_PLUGIN}:list", *options],
            check=True,
        )
        return [coordinates for line in listing.read_text().splitlines() if (coordinates := read_line(line))]


def read_line(line: str) -> str:
    """Turn `group:name:packaging[:classifier]:version:scope` and its remarks into the coordinates of a lock."""
    parts = line.partition(" -- ")[0].partition(" (")[0].strip().split(":")
    if len(parts) not in (5, 6):
        return ""
    group, name, packaging, *classifier, version, _scope = parts
    return ":".join([group, name, packaging, *classifier, version] if classifier else [group, name, version])


def project_of(coordinates: str) -> str:
    return ":".join(coordinates.split(":")[:2])


def without(coordinates: list[str], others: list[str]) -> list[str]:
    """Leave out what another class path has: a jar in two of them is refused by the server."""
    taken = {project_of(other) for other in others}
    return [row for row in coordinates if project_of(row) not in taken]


def resolve_lock(version: str) -> dict[str, Any]:
    """Return the lock of a version, with coordinates where the finished one has rows."""
    lib = resolve(roots_of_lib(version))
    log4j = next(row.split(":")[-1] for row in lib if project_of(row) == "org.apache.logging.log4j:log4j-api")
    lib += without(resolve([f"org.apache.logging.log4j:log4j-core:{log4j}"]), lib)
    lib = [row for row in lib if row.split(":")[1] not in NOT_NEEDED]
    modules: dict[str, Any] = {}
    for name, (classname, extends, roots) in modules_of(version).items():
        jars = without(resolve([f"{PLUGIN_GROUP}:{root}:{version}" for root in roots]), lib)
        modules[name] = {"class": classname, "extends": extends, "jars": sorted(jars)}
    for module in modules.values():
        if module["extends"]:
            module["jars"] = without(module["jars"], modules[module["extends"]]["jars"])
    plugins = {
        "opensearch-knn": plugin_of(version, "opensearch-knn"),
        "opensearch-neural-search": plugin_of(version, "neural-search"),
    }
    java = 11 if version.startswith("2.") else 21
    head = {"format": LOCK_FORMAT, "version": version, "java": java, "compiler": COMPILER}
    return {**head, "lib": sorted(lib), "modules": modules, "plugins": plugins, "profiles": profiles_of(version)}


def measure(coordinates: str) -> Artifact:
    """Download an artifact and return its row."""
    unknown = Artifact(coordinates=coordinates, sha256="", bytes=0)
    with tempfile.TemporaryDirectory() as scratch:
        path = download_with_jgo(unknown, Path(scratch))
        with path.open("rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
        return Artifact(coordinates=coordinates, sha256=checksum, bytes=path.stat().st_size)


def with_rows(lock: dict[str, Any]) -> dict[str, Any]:
    """Replace the coordinates of a resolved lock by rows with size and checksum."""
    modules, plugins, profiles = lock["modules"], lock["plugins"], lock["profiles"]
    wanted = {lock["compiler"], *lock["lib"], *plugins.values()}
    wanted.update(jar for module in modules.values() for jar in module["jars"])
    for profile in profiles.values():
        wanted.update((*profile["lib"], *profile["plugins"].values(), *profile["natives"]))
    with ThreadPoolExecutor(8) as pool:
        rows = {artifact.coordinates: artifact.to_row() for artifact in pool.map(measure, sorted(wanted))}
    return {
        **lock,
        "compiler": rows[lock["compiler"]],
        "lib": [rows[jar] for jar in lock["lib"]],
        "modules": {
            name: {**module, "jars": [rows[jar] for jar in module["jars"]]} for name, module in modules.items()
        },
        "plugins": {name: rows[archive] for name, archive in plugins.items()},
        "profiles": {
            name: {
                "lib": [rows[jar] for jar in profile["lib"]],
                "plugins": {plugin: rows[archive] for plugin, archive in profile["plugins"].items()},
                "natives": [rows[archive] for archive in profile["natives"]],
            }
            for name, profile in profiles.items()
        },
    }


def to_text(lock: dict[str, Any]) -> str:
    """Write a lock with one artifact a line, so that a renewal reads well as a difference."""
    return (
        re.sub(r"\{[^{}]*\"sha256\"[^{}]*\}", lambda row: json.dumps(json.loads(row[0])), json.dumps(lock, indent=1))
        + "\n"
    )


def artifacts_of(version: str) -> list[Artifact]:
    """Return every artifact of a version's lock, in whatever profile, once."""
    locks = [load_lock(version, profile) for profile in known_profiles(version)]
    return list(
        {artifact.sha256: artifact for lock in locks for artifact in (*lock.artifacts(), *lock.natives)}.values()
    )


def check(artifacts: list[Artifact]) -> list[str]:
    """Download artifacts anew and return what differs."""

    def difference(artifact: Artifact) -> str:
        with tempfile.TemporaryDirectory() as folder:
            try:
                size = ArtifactStore(Path(folder)).fetch(artifact).stat().st_size
            except DevServerError as error:
                return str(error)
        return "" if size == artifact.bytes else f"{artifact.coordinates}: {size} bytes, expected {artifact.bytes}."

    with ThreadPoolExecutor(8) as pool:
        return [row for row in pool.map(difference, artifacts) if row]


def main() -> int:
    parser = argparse.ArgumentParser(description="Renew or check the lock files of the development server.")
    parser.add_argument("versions", nargs="*", metavar="VERSION")
    parser.add_argument("--check", action="store_true", help="change nothing, compare with the registry")
    arguments = parser.parse_args()
    failed = False
    for version in arguments.versions or known_versions():
        if arguments.check:
            artifacts = artifacts_of(version)
            differences = check(artifacts)
            failed = failed or bool(differences)
            print(*differences, f"{version}: {len(artifacts)} artifacts checked.", sep="\n")
        else:
            LOCKS.joinpath(f"{version}.json").write_text(to_text(with_rows(resolve_lock(version))))
            print(f"{version}: written.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
