import json

from isopts.run.log import StepReport, append_to_log, drop_log_after, read_log


def report(step, **losses):
    return StepReport(step, 100, step / 3, {"total": 0.5, **losses}, isopoints=7, learning_rate=1e-3)


def test_lines_come_back(tmp_path):
    path = tmp_path / "log.jsonl"
    append_to_log(path, report(10, eikonal=0.25))
    append_to_log(path, report(20))
    assert read_log(path) == [
        {
            "step": 10,
            "seconds": 3.333,
            "losses": {"total": 0.5, "eikonal": 0.25},
            "learning_rate": 1e-3,
            "isopoints": 7,
        },
        {"step": 20, "seconds": 6.667, "losses": {"total": 0.5}, "learning_rate": 1e-3, "isopoints": 7},
    ]


def test_values_that_are_not_finite_are_valid_json(tmp_path):
    path = tmp_path / "log.jsonl"
    append_to_log(path, report(1, eikonal=float("nan")))
    line = path.read_text()
    assert "NaN" not in line
    assert json.loads(line)["losses"]["eikonal"] is None


def test_resume_keeps_the_lines_up_to_the_checkpoint(tmp_path):
    path = tmp_path / "log.jsonl"
    for step in (10, 20, 30):
        append_to_log(path, report(step))
    with path.open("a") as file:
        file.write('{"step": 40, "seco')  # killed while writing
    drop_log_after(path, 20)
    append_to_log(path, report(30))
    assert [entry["step"] for entry in read_log(path)] == [10, 20, 30]
    assert len(path.read_text().splitlines()) == 3


def test_a_missing_log_is_empty(tmp_path):
    assert read_log(tmp_path / "log.jsonl") == []
