from __future__ import annotations

import json
from collections import Counter

import pytest

from opensearch_neural_sparse.devserver.distribution.lock import (
    DEFAULT_VERSION,
    Artifact,
    known_profiles,
    known_versions,
    load_lock,
    parse_lock,
)
from opensearch_neural_sparse.devserver.profile import Profile
from opensearch_neural_sparse.errors import DevServerError

MAKES = [(version, profile) for version in known_versions() for profile in known_profiles(version)]


def test_supported_versions_have_a_lock_the_default_first_and_then_the_newest():
    assert known_versions() == ("3.6.0", "2.19.6", "2.19.1")
    assert known_versions()[0] == DEFAULT_VERSION


def test_an_unknown_version_is_refused_with_those_that_are_known():
    with pytest.raises(DevServerError, match=r"9\.9\.9 .* 3\.6\.0, 2\.19\.6, 2\.19\.1"):
        load_lock("9.9.9")


def test_a_lock_of_another_format_is_refused():
    with pytest.raises(DevServerError, match="format 2"):
        parse_lock(json.dumps({"format": 2}).encode())


def test_every_version_says_which_profiles_it_has():
    assert known_profiles("3.6.0") == ("plain", "cluster", "ml")
    assert known_profiles("2.19.6") == ("plain", "cluster", "ml")
    assert known_profiles("2.19.1") == ("plain", "cluster", "ml", "security", "security-ml")


def test_a_profile_that_a_version_lacks_is_refused_with_those_it_has_and_where_it_is():
    with pytest.raises(DevServerError, match=r"no profile 'security' here, only plain, cluster, ml\. .* 2\.19\.1"):
        load_lock("3.6.0", Profile.SECURITY)


@pytest.mark.parametrize("version", known_versions())
def test_other_profiles_add_to_the_plain_one_which_knows_nothing_of_them(version: str):
    plain = load_lock(version)
    fingerprints = {load_lock(version, profile).fingerprint for profile in known_profiles(version)}
    assert len(fingerprints) == len(known_profiles(version)) - 1, "a cluster is made of the plain parts"
    for profile in known_profiles(version):
        assert {row.sha256 for row in load_lock(version, profile).artifacts()} >= {
            row.sha256 for row in plain.artifacts()
        }
    assert set(plain.plugins) == {"opensearch-knn", "opensearch-neural-search"}


@pytest.mark.parametrize(("version", "profile"), MAKES)
def test_every_artifact_has_a_checksum_a_size_and_exact_coordinates(version: str, profile: Profile):
    lock = load_lock(version, profile)
    for artifact in (*lock.artifacts(), *lock.natives):
        assert len(artifact.sha256) == 64, artifact
        assert artifact.bytes > 0, artifact
        assert artifact.coordinates.count(":") in (2, 3, 4), artifact
        assert "SNAPSHOT" not in artifact.coordinates, artifact


@pytest.mark.parametrize(("version", "profile"), MAKES)
def test_no_jar_is_on_one_class_path_twice(version: str, profile: Profile):
    lock = load_lock(version, profile)
    modules = {module.name: module for module in lock.modules}
    for module in lock.modules:
        parent = modules[module.extends].jars if module.extends else ()
        names = Counter((row.parts[:2], row.parts[3]) for row in (*lock.lib, *parent, *module.jars))
        assert [name for name, count in names.items() if count > 1] == []


def test_the_fingerprint_follows_the_content():
    content = {"format": 1, "version": "1", "java": 21, "lib": [], "modules": {}, "plugins": {}}
    content["compiler"] = {"artifact": "g:n:1", "sha256": "0" * 64, "bytes": 1}
    one, same = parse_lock(json.dumps(content).encode()), parse_lock(json.dumps(content).encode())
    other = parse_lock(json.dumps({**content, "java": 11}).encode())
    assert one == same
    assert one.fingerprint != other.fingerprint
    more = {"ml": {"lib": [content["compiler"]], "plugins": {}}}
    with_profile = json.dumps({**content, "profiles": more}).encode()
    assert parse_lock(with_profile) == one, "what is another profile's leaves it alone"
    assert parse_lock(with_profile, Profile.ML).fingerprint != one.fingerprint


@pytest.mark.parametrize(
    ("coordinates", "parts", "filename"),
    [
        ("g:name:1.2", ("g", "name", "jar", "", "1.2"), "name-1.2.jar"),
        ("g:name:zip:1.2", ("g", "name", "zip", "", "1.2"), "name-1.2.zip"),
        ("g:name:jar:linux:1.2", ("g", "name", "jar", "linux", "1.2"), "name-1.2-linux.jar"),
    ],
)
def test_coordinates_are_read_as_maven_writes_them(coordinates: str, parts: tuple[str, ...], filename: str):
    artifact = Artifact(coordinates=coordinates, sha256="", bytes=0)
    assert artifact.parts == parts
    assert artifact.filename == filename
    assert Artifact.from_row(artifact.to_row()) == artifact
