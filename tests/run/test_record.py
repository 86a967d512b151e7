import json

import pytest

from isopts.geometry.frames import WorldToUnit
from isopts.run.record import RunRecord, read_record, write_record


def test_record_comes_back_and_is_plain_json(tmp_path):
    frame = WorldToUnit((1 / 3, 5e6, -2.0), 0.7)
    record = RunRecord(command="fit-points", seed=3, frame=frame, seconds={"fit": 1.5}, kernel_backends={"a": "warp"})
    write_record(tmp_path / "run.json", record)
    assert read_record(tmp_path / "run.json") == record
    assert json.loads((tmp_path / "run.json").read_text())["frame"] == {"center": [1 / 3, 5e6, -2.0], "scale": 0.7}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"program": "npm", "command": "x"}', '{"scripts": {}}'])
def test_foreign_json_is_no_record(tmp_path, text):
    path = tmp_path / "run.json"
    path.write_text(text)
    assert read_record(path) is None


def test_missing_file_is_no_record_and_unknown_keys_are_ignored(tmp_path):
    path = tmp_path / "run.json"
    assert read_record(path) is None
    path.write_text('{"program": "isopts", "command": "fit-points", "added_later": 1}')
    assert read_record(path).command == "fit-points"
