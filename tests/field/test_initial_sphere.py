"""The cache of fitted spheres."""

import pytest
import torch

from isopts.field.initial_sphere import cache_folder, start_as_sphere
from isopts.field.siren import SirenConfig, SirenField

CONFIG = SirenConfig(width=8, depth=1)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ISOPTS_CACHE", str(tmp_path))
    return tmp_path


def _fitted(steps: int = 3) -> SirenField:
    field = SirenField(CONFIG, torch.Generator().manual_seed(0))
    start_as_sphere(field, 0.5, steps, 1e-3)
    return field


def _equal(one: SirenField, two: SirenField) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


def test_second_start_reads_what_the_first_wrote(cache):
    first = _fitted()
    (path,) = cache.rglob("*.pt")
    state = torch.load(path, weights_only=True)
    state["weights.0"][0, 0] = 42.0
    torch.save(state, path)
    second = _fitted()
    assert second.weights[0][0, 0] == 42.0
    assert not _equal(first, second)


@pytest.mark.parametrize("content", [b"", b"not a tensor file", b"PK\x03\x04torn"])
def test_a_damaged_file_is_fitted_again(cache, content):
    first = _fitted()
    (path,) = cache.rglob("*.pt")
    path.write_bytes(content)
    assert _equal(first, _fitted())
    assert path.read_bytes() != content


@pytest.mark.parametrize("foreign", [torch.zeros(3), {"other": torch.zeros(3)}, [1, 2]])
def test_a_foreign_file_is_fitted_again(cache, foreign):
    first = _fitted()
    (path,) = cache.rglob("*.pt")
    torch.save(foreign, path)
    assert _equal(first, _fitted())


def test_an_unwritable_cache_is_done_without(cache, monkeypatch):
    expected = _fitted()
    (cache / "file").write_text("")
    monkeypatch.setenv("ISOPTS_CACHE", str(cache / "file"))
    assert _equal(expected, _fitted())


def test_other_parameters_or_recipes_do_not_share_a_file(cache):
    _fitted(steps=1)
    _fitted(steps=2)
    other = SirenField(CONFIG, torch.Generator().manual_seed(1))
    start_as_sphere(other, 0.5, 1, 1e-3)
    assert len(list(cache.rglob("*.pt"))) == 3
    assert not list(cache.rglob("*.tmp"))


def test_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("ISOPTS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "isopts"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder().parts[-2:] == (".cache", "isopts")
