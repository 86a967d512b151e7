import os
import pickle
import zipfile

import pytest
import torch

from isopts.errors import InputError
from isopts.geometry.frames import WorldToUnit
from isopts.run.checkpoint import Checkpoint, load_checkpoint, save_checkpoint


def trained(steps, generator, weight, optimizer):
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (weight * torch.randn(4, generator=generator)).square().sum()
        loss.backward()
        optimizer.step()


def fresh():
    weight = torch.ones(4, requires_grad=True)
    return torch.Generator().manual_seed(7), weight, torch.optim.Adam([weight], lr=0.1)


def checkpoint_of(generator, weight, optimizer):
    return Checkpoint(
        command="fit-points",
        step=5,
        config={"fit": {"steps": 10, "rates": [1e-3, 1e-4], "name": None}},
        frame=WorldToUnit((5e5, 4.2e6 + 1 / 3, 0.1), 1.5 / 7),
        field={"weight": weight.detach()},
        optimizer=optimizer.state_dict(),
        random_states={"samples": generator.get_state()},
        tensors={"isopoints": torch.rand(10, 3)},
    )


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, checkpoint_of(*fresh()))
    return path


def rewrite(file, **changes):
    contents = torch.load(file, weights_only=True) | changes
    torch.save({key: value for key, value in contents.items() if value is not None}, file)


def test_every_value_comes_back(tmp_path):
    state = fresh()
    trained(5, *state)
    saved = checkpoint_of(*state)
    save_checkpoint(tmp_path / "a.pt", saved)
    loaded = load_checkpoint(tmp_path / "a.pt")
    assert (loaded.command, loaded.step, loaded.config) == (saved.command, saved.step, saved.config)
    assert loaded.frame == saved.frame
    assert loaded.version == saved.version
    for name in ("field", "random_states", "tensors"):
        expected, found = getattr(saved, name), getattr(loaded, name)
        assert list(found) == list(expected)
        assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_a_resumed_fit_equals_the_uninterrupted_one(tmp_path):
    straight = fresh()
    trained(10, *straight)

    first = fresh()
    trained(5, *first)
    save_checkpoint(tmp_path / "a.pt", checkpoint_of(*first))
    loaded = load_checkpoint(tmp_path / "a.pt")
    generator, weight, optimizer = fresh()
    generator.set_state(loaded.random_states["samples"])
    with torch.no_grad():
        weight.copy_(loaded.field["weight"])
    optimizer.load_state_dict(loaded.optimizer)
    trained(5, generator, weight, optimizer)
    assert torch.equal(weight, straight[1])


def test_a_run_folder_stands_for_its_checkpoint(file):
    assert load_checkpoint(file.parent).step == 5


def test_what_cannot_be_loaded_again_is_not_saved(tmp_path):
    checkpoint = Checkpoint("fit-points", 0, {"path": tmp_path}, WorldToUnit((0, 0, 0), 1.0), {})
    with pytest.raises(TypeError, match=r"checkpoint\.config\.path is a PosixPath"):
        save_checkpoint(tmp_path / "a.pt", checkpoint)
    assert os.listdir(tmp_path) == []


def test_missing_file_and_folder_without_checkpoint(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        load_checkpoint(tmp_path / "none.pt")
    with pytest.raises(InputError, match=r"holds no checkpoint\.pt"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_truncated_file(file, share):
    contents = file.read_bytes()
    file.write_bytes(contents[: int(len(contents) * share)])
    with pytest.raises(InputError, match="truncated"):
        load_checkpoint(file)


@pytest.mark.parametrize("contents", [b"ply\nformat ascii 1.0\n", b"\x80\x04N.", os.urandom(1000)])
def test_foreign_file(file, contents):
    file.write_bytes(contents)
    with pytest.raises(InputError, match="not written by isopts"):
        load_checkpoint(file)


def test_foreign_archives(file):
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(InputError, match="cannot be read as a checkpoint"):
        load_checkpoint(file)
    torch.save({"state_dict": {"weight": torch.ones(3)}}, file)
    with pytest.raises(InputError, match="no isopts checkpoint"):
        load_checkpoint(file)
    torch.save(torch.ones(3), file)
    with pytest.raises(InputError, match="no isopts checkpoint"):
        load_checkpoint(file)
    torch.save(torch.nn.Linear(2, 2), file)
    with pytest.raises(InputError, match=r"more than tensors and plain values\)\.$"):
        load_checkpoint(file)


def test_newer_format_names_both_versions(file):
    rewrite(file, format_version=2, version="9.1")
    with pytest.raises(InputError, match=r"format 2, .* reads 1; .*9\.1"):
        load_checkpoint(file)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"step": "5"}, "step"),
        ({"field": None}, "field"),
        ({"frame": {"center": [0, 0]}}, "frame"),
        ({"frame": {}}, "frame"),
    ],
)
def test_damaged_contents_are_named(file, changes, name):
    rewrite(file, **changes)
    with pytest.raises(InputError, match=f"damaged checkpoint: its '?{name}"):
        load_checkpoint(file)


def test_flipped_bytes_end_in_an_input_error_or_in_a_checkpoint(file):
    original = file.read_bytes()
    messages = []
    for position in range(0, len(original), max(1, len(original) // 150)):
        damaged = bytearray(original)
        damaged[position] ^= 0xFF
        file.write_bytes(damaged)
        try:
            load_checkpoint(file)
        except InputError as error:
            messages.append(str(error))
    assert len(messages) > 100
    assert not any("\n" in message for message in messages)


class Exploit:
    def __init__(self, victim):
        self.victim = victim

    def __reduce__(self):
        return os.mkdir, (str(self.victim),)


def test_a_malicious_pickle_never_runs(tmp_path):
    victim = tmp_path / "executed"
    bare, archive = tmp_path / "bare.pt", tmp_path / "archive.pt"
    bare.write_bytes(pickle.dumps(Exploit(victim)))
    torch.save({"format": "isopts-checkpoint", "config": Exploit(victim)}, archive)
    for file in (bare, archive):
        with pytest.raises(InputError):
            load_checkpoint(file)
        assert not victim.exists()
    torch.load(archive, weights_only=False)  # the trap itself works
    assert victim.exists()
