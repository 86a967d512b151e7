"""Reports of `isopts evaluate`, however they are printed."""

import json
import math
import re
from pathlib import Path

import pytest

from isopts.cli.evaluation_output import print_json, print_table
from isopts.evaluate.files import Targets
from isopts.evaluate.report import EvaluationConfig, Report


def test_a_table_is_whole_in_a_file_and_split_in_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    predictions = [Path(f"a_prediction_with_a_long_name_{number}.ply") for number in range(6)]
    reports = {path: Report({"accuracy": number + 0.125}) for number, path in enumerate(predictions)}
    print_table(reports, [Targets()] * 6)
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["figure", *map(str, predictions)]
    assert row.split() == ["accuracy", *(f"{number}.125" for number in range(6))]
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "90")
    print_table(reports, [Targets()] * 6)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()  # without bold
    assert [len(line.split()) for line in lines] == [3] * 6
    assert all(len(line) <= 90 and "…" not in line for line in lines)


def test_files_of_one_name_are_told_apart_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    predictions = [Path("a/mesh.ply"), Path("b/mesh.ply")]
    print_table({path: Report({"accuracy": 1.0}) for path in predictions}, [Targets()] * 2)
    assert capsys.readouterr().out.split()[:3] == ["figure", *map(str, predictions)]


def test_json_has_no_infinity(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report({"psnr_mean": math.inf}, views={"1.png": {"psnr": math.inf, "ssim": 1.0}})
    print_json({Path("run"): report}, [Targets()], EvaluationConfig())
    (prediction,) = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)["predictions"]
    assert prediction["figures"] == {"psnr_mean": None}
    assert prediction["views"] == [{"view": "1.png", "psnr": None, "ssim": 1.0}]
