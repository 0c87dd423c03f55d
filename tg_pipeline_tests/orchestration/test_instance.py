"""DAGSTER_HOME is prepared by itself; what a user wrote there is left alone."""

import stat
from pathlib import Path

import pytest
import yaml

from tg_pipeline.orchestration.instance import open_instance, prepare
from tg_pipeline.settings import Settings

PACKAGED = Path(__file__).parents[2] / "dagster.yaml"


@pytest.fixture(autouse=True)
def _no_dagster_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)


def test_the_folder_is_made_for_us_alone_with_our_configuration(tmp_path: Path) -> None:
    home = prepare(Settings(home=tmp_path / "home"))

    assert home == tmp_path / "home" / "dagster"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    placed = (home / "dagster.yaml").read_text()
    assert placed.endswith(PACKAGED.read_text())
    assert yaml.safe_load(placed) == yaml.safe_load(PACKAGED.read_text())


def test_our_file_is_written_once_and_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path)
    path = prepare(settings) / "dagster.yaml"
    written = path.stat().st_mtime_ns
    assert prepare(settings) == path.parent
    assert path.stat().st_mtime_ns == written

    newer = tmp_path / "newer.yaml"
    newer.write_text("telemetry: {enabled: false}\n")
    monkeypatch.setattr("tg_pipeline.orchestration.instance._PACKAGED", newer)
    prepare(settings)
    assert path.read_text().endswith(newer.read_text())


def test_an_edited_file_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path)
    path = prepare(settings) / "dagster.yaml"
    edited = path.read_text().replace("max_concurrent_runs: 2", "max_concurrent_runs: 8")
    path.write_text(edited)

    newer = tmp_path / "newer.yaml"
    newer.write_text("telemetry: {enabled: false}\n")
    monkeypatch.setattr("tg_pipeline.orchestration.instance._PACKAGED", newer)
    prepare(settings)

    assert path.read_text() == edited


def test_the_environments_folder_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "given"))

    assert prepare(Settings(home=tmp_path / "home")) == tmp_path / "given"
    assert (tmp_path / "given" / "dagster.yaml").exists()
    assert not (tmp_path / "home").exists()


def test_somebody_elses_dagster_is_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder without dagster.yaml is one that Dagster runs in with its own defaults."""
    (tmp_path / "history").mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))

    prepare(Settings(home=tmp_path / "home"))

    assert [entry.name for entry in tmp_path.iterdir()] == ["history"]


def test_dagster_reads_the_configuration_as_it_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TG_PIPELINE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    with open_instance() as instance:
        assert instance.run_monitoring_enabled
        assert instance.run_retries_enabled
        assert not instance.run_retries_retry_on_asset_or_op_failure
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        concurrency = instance.get_concurrency_config()
        logs = instance.compute_log_manager.build_log_key_for_run("run", "step")
        with instance.compute_log_manager.capture_logs(logs):
            print("something")

    queue, pools = concurrency.run_queue_config, concurrency.pool_config
    assert queue is not None
    assert queue.max_concurrent_runs == 2
    assert pools.default_pool_limit == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["home"]
