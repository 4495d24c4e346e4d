"""Jobs are real and run on the CPU; the driver that tells of GPUs is a fake."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import attempts
import pytest
from attempts import Attempt, run_here, wait_until, write_rows

from twin_workers.device_list import device_list

GPU = {"total": 80, "free": 79, "sample": {"device_utilization": 93.0, "device_watts": 310.5}}


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine whose GPUs a test names; their leases lie in a cache folder of its own."""
    stand_in = tmp_path / "driver" / "fake_nvml.py"
    stand_in.parent.mkdir()
    shutil.copy(Path(__file__).with_name("fake_nvml.py"), stand_in)
    for name, value in (("TWIN_TEST_NVML", str(stand_in)), ("XDG_CACHE_HOME", str(tmp_path / "cache"))):
        monkeypatch.setenv(name, value)
    for name in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"):
        # Set and taken away again, so that what a job sets does not outlive the test.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(attempts, "ENVIRONMENT", {**os.environ, "PYTHONPATH": str(attempts.ROOT)})

    def has(*devices):
        stand_in.with_name("devices.json").write_text(json.dumps([{**GPU, **device} for device in devices]))

    has({"uuid": "GPU-a"})
    return has


@pytest.fixture
def echo(tmp_path):
    """An echo under a name of its own."""
    rows = write_rows(tmp_path / "rows.jsonl", [{"id": "a"}])
    return lambda name, params=(), **changes: Attempt(
        tmp_path / name, "echo", {"steps": 1, **dict(params)}, {"rows": rows}, changes={"id": name, **changes}
    )


SLOW = {"steps": 10000, "secondsPerStep": 0.05}


def devices_of(attempt):
    return [device["uuid"] for event in attempt.events("devices") for device in event["data"]["devices"]]


def cancel(attempt, keeper):
    attempt.command("cancel")
    keeper.wait()


def test_each_job_gets_a_device_of_its_own_and_the_next_one_waits_for_an_end(machine, echo):
    machine({"uuid": "GPU-a"}, {"uuid": "GPU-b"})
    first, second, third = echo("first", SLOW), echo("second", SLOW), echo("third")
    keepers = [first.keep(), second.keep()]
    wait_until(lambda: devices_of(first) and devices_of(second))
    assert {*devices_of(first), *devices_of(second)} == {"GPU-a", "GPU-b"}
    waiting = third.keep()
    wait_until(lambda: third.events("progress"))
    assert "1 of 2 needed, 0 free" in third.events("warn")[0]["data"]["message"]
    assert "is leased to job first" in third.events("warn")[0]["data"]["message"]
    cancel(first, keepers[0])
    assert waiting.wait() == 0
    assert third.record("exit")["code"] == 0
    assert devices_of(third) == devices_of(first)
    cancel(second, keepers[1])
    assert [one["lease"] for one in device_list(None)["devices"]] == [None, None]


def test_the_lease_of_a_killed_job_is_free_at_once(machine, echo):
    killed, after = echo("killed", SLOW), echo("after")
    keeper = killed.keep()
    wait_until(lambda: killed.events("devices"))
    keeper.kill()
    keeper.wait()
    wait_until(lambda: device_list(None)["devices"][0]["lease"] is None, seconds=5)
    assert after.run() == 0
    assert devices_of(after) == ["GPU-a"]


def test_cuda_sees_the_leased_device_alone_and_the_smallest_that_will_do(machine, echo):
    machine({"uuid": "GPU-a"}, {"uuid": "MIG-b", "total": 10, "free": 9})
    attempt = echo("small")
    assert run_here(attempt) == 0
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "MIG-b"
    assert os.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"


def test_a_job_that_wants_none_sees_none(machine, echo):
    attempt = echo("on-the-cpu", gpus=0)
    assert run_here(attempt) == 0
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
    assert attempt.events("devices") == []


def test_only_devices_that_the_surroundings_leave_are_given(machine, echo, monkeypatch):
    machine({"uuid": "GPU-a"}, {"uuid": "GPU-b"}, {"uuid": "GPU-c"})
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,GPU-c")
    attempt = echo("two", gpus=2)
    assert run_here(attempt) == 0
    assert devices_of(attempt) == ["GPU-b", "GPU-c"]


@pytest.mark.parametrize(
    ("device", "words"),
    [
        ({"uuid": "GPU-a", "free": 0}, "GPU-a has 0.0 GiB free, 1.3 are needed"),
        ({"uuid": "GPU-a", "processes": [4711]}, "GPU-a is used by process 4711"),
    ],
)
def test_a_device_that_is_full_or_in_foreign_use_is_waited_for(machine, tmp_path, device, words):
    machine(device)
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.safetensors").write_bytes(b"0" * 1024)
    # Whatever reads a model needs the context of CUDA at least.
    attempt = Attempt(tmp_path / "patient", "merge-adapter", {}, {"base": model})
    keeper = attempt.keep()
    wait_until(lambda: attempt.events("progress"))
    assert words in attempt.events("warn")[0]["data"]["message"]
    attempt.command("cancel")
    keeper.wait()
    assert attempt.record("exit")["code"] == 21


def test_a_device_that_failed_gets_no_job_until_it_is_released(machine, echo):
    machine({"uuid": "GPU-a", "free": 70}, {"uuid": "GPU-b"})
    fault = {"fault": "device-fault", "faultStep": 1}
    failed = echo("failed", fault)
    assert failed.run() == 40
    assert devices_of(failed) == ["GPU-a"]
    assert "uncorrectable ECC" in device_list(None)["devices"][0]["fault"]["why"]
    elsewhere = echo("elsewhere", fault)
    assert elsewhere.run() == 40
    assert devices_of(elsewhere) == ["GPU-b"]
    nowhere = echo("nowhere")
    assert nowhere.run() == 10
    assert nowhere.error()["message"] == "1 devices are wanted, and 0 of 2 are not quarantined"
    assert "twin jobs release-device" in nowhere.error()["hint"]
    assert device_list("GPU-b")["released"]
    again = echo("again")
    assert again.run() == 0
    assert devices_of(again) == ["GPU-b"]


def test_a_sample_of_the_device_is_taken_every_second(machine, echo):
    attempt = echo("sampled", {"steps": 50, "secondsPerStep": 0.05})
    assert attempt.run() == 0
    points = [event["data"]["points"] for event in attempt.events("metric") if "device_watts" in event["data"]["points"]]
    assert 2 <= len(points) <= 4
    assert points[0]["device_watts"][0][1] == 310.5
    assert points[0]["device_utilization"][0][1] == 93.0


@pytest.mark.parametrize(("action", "code"), [("warn", 0), ("stop", 31)])
def test_a_device_that_does_nothing_while_a_model_trains_is_told(machine, tmp_path, sft_inputs, action, code):
    machine({"uuid": "GPU-a", "sample": {"device_utilization": 3.0}})
    health = {
        **attempts.defaults(attempts.schemas()["jobs"]["train-sft"]["params"])["health"],
        "idleDevice": action,
        "idleDeviceMinutes": 0.01,
    }
    params = {"maxSteps": 300, "batchSize": 4, "maxLength": 96, "health": health}
    attempt = Attempt(tmp_path, "train-sft", params, sft_inputs)
    assert attempt.run() == code
    words = "the device was busy for less than 10 % of the time for 0.01 min of training"
    told = [event["data"]["message"] for event in attempt.events("warn") if event["data"]["reason"] == "idleDevice"]
    assert (told if action == "warn" else [attempt.error()["message"]]) == [words]
    assert attempt.events("devices")[0]["data"]["neededBytes"] > 1 << 30


def test_what_the_driver_says_is_read_from_its_library(tmp_path):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler to make a driver's library with")
    library = tmp_path / "libnvidia-ml.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, Path(__file__).with_name("fake_nvml.c")], check=True)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(attempts.ROOT)}
    command = [attempts.sys.executable, "-m", "twin_workers", "devices"]
    listed = json.loads(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
    whole, *slices = listed["devices"]
    assert {**whole, "utilization": None} == {
        "uuid": "GPU-whole",
        "name": "Fake H100",
        "totalBytes": 80 << 30,
        "freeBytes": 70 << 30,
        "utilization": None,
        "lease": None,
        "fault": None,
        "processes": [4711, 4712],
    }
    assert whole["utilization"] == 42
    assert [one["uuid"] for one in slices] == ["MIG-0", "MIG-2"], "a GPU that is cut is not given whole, and slice 1 is not there"


def test_a_service_of_twin_shares_its_device_with_jobs(machine, echo):
    command = [attempts.sys.executable, "-c", "import sys; sys.stdin.read()", "-m", "twin_workers", "serve", "embedder"]
    service = subprocess.Popen(command, stdin=subprocess.PIPE)
    wait_until(lambda: b"twin_workers" in Path(f"/proc/{service.pid}/cmdline").read_bytes())
    machine({"uuid": "GPU-a", "processes": [service.pid]})
    attempt = echo("beside")
    assert attempt.run() == 0
    assert devices_of(attempt) == ["GPU-a"]
    service.communicate()


def test_where_nothing_can_be_leased_the_job_says_so_and_goes_on(machine, echo, tmp_path):
    (tmp_path / "cache").write_text("no folder")
    attempt = echo("unleased")
    assert attempt.run() == 0
    assert "GPUs cannot be leased" in attempt.events("warn")[0]["data"]["message"]


def test_a_base_that_cannot_be_read_fails_the_job_for_what_it_is(machine, tmp_path, sft_inputs):
    empty = tmp_path / "base"
    empty.mkdir()
    attempt = Attempt(tmp_path / "job", "train-sft", {}, {**sft_inputs, "base": empty})
    assert run_here(attempt) not in (0, 70)
    assert devices_of(attempt) == ["GPU-a"]
