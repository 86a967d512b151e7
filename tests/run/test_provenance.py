import sys

import torch

from isopts import __version__
from isopts.run.provenance import command_line, device_name, file_sha256, versions


def test_sha256_of_known_bytes(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert file_sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_command_line_can_be_pasted_into_a_shell(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/isopts", "fit-points", "my scan.ply", "--set", "a=[1, 2]"])
    assert command_line() == "isopts fit-points 'my scan.ply' --set 'a=[1, 2]'"


def test_versions_and_device_are_named():
    found = versions()
    assert found["isopts"] == __version__
    assert found["torch"] == torch.__version__
    assert "warp-lang" in found
    assert device_name(torch.device("cpu")) != ""
