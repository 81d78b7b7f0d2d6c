"""What `run.json` tells, also of a run that was killed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from linkage.outputs.manifest import Manifest, MemorySampler, TreeMemory, versions


def saved(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_running_step_is_on_the_disk_before_it_ends(tmp_path):
    path = tmp_path / "run.json"
    with Manifest(path) as manifest, manifest.step("score"):
        assert saved(path)["status"] == "running"
        assert saved(path)["steps"][0] | {"seconds": 0, "peak_memory_bytes": 0} == {
            "name": "score",
            "status": "running",
            "rows": None,
            "continued": False,
            "seconds": 0,
            "peak_memory_bytes": 0,
            "details": {},
        }
    assert saved(path)["status"] == "finished"


def run_ending_with(error, path):
    with Manifest(path) as manifest:
        with manifest.step("read"):
            pass
        with manifest.step("score"):
            raise error


@pytest.mark.parametrize(("error", "status"), [(ValueError, "failed"), (KeyboardInterrupt, "stopped")])
def test_a_run_that_ends_badly_says_where(tmp_path, error, status):
    path = tmp_path / "run.json"
    with pytest.raises(error):
        run_ending_with(error, path)
    assert saved(path)["status"] == status
    assert [step["status"] for step in saved(path)["steps"]] == ["finished", status]


def test_an_input_is_named_without_its_folder(tmp_path):
    (tmp_path / "Nguyễn Văn A").mkdir()
    file = tmp_path / "Nguyễn Văn A" / "owners.csv"
    file.write_bytes(b"abc")
    with Manifest(tmp_path / "run.json") as manifest:
        manifest.add_input("owners", file, rows=2)
        manifest.set_hashes(config="c0")
        manifest.set_hashes(model="m0")
        manifest.count(rows_read=2)
        manifest.count(rows_read=3, persons=1)
    content = saved(tmp_path / "run.json")
    assert content["inputs"][0] | {"sha256": ""} == {
        "role": "owners", "file": "owners.csv", "sha256": "", "bytes": 3, "rows": 2
    }  # fmt: skip
    assert (content["config"]["sha256"], content["model"]["sha256"]) == ("c0", "m0")
    assert content["counts"] == {"rows_read": 3, "persons": 1}
    assert "Nguyễn" not in (tmp_path / "run.json").read_text(encoding="utf-8")


def test_seconds_come_from_the_clock_given(tmp_path):
    now = [0.0]
    manifest = Manifest(tmp_path / "run.json", clock=lambda: now[0])
    with manifest, manifest.step("read"):
        now[0] = 2.5
    assert manifest.as_dict()["steps"][0]["seconds"] == 2.5


def test_the_peak_of_a_step_is_apart_from_that_of_the_run():
    looks = iter([5, 100, 7, 9, 8])
    sampler = MemorySampler(lambda: next(looks))
    sampler.sample()
    sampler.sample()
    sampler.restart_peak()
    sampler.sample()
    assert (sampler.peak_since_restart(), sampler.peak()) == (9, 100)


def test_memory_counts_the_children_of_this_process():
    code = "data = bytearray(60_000_000); print('ready', flush=True); input()"
    alone = TreeMemory().measure()
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline().strip() == b"ready"
        together = TreeMemory().measure()
        child.communicate(b"\n")
    assert together - alone > 50_000_000


def test_the_versions_name_what_results_depend_on():
    assert versions().keys() >= {"python", "quychu", "splink", "duckdb", "polars"}
