"""The platform's data folder."""

import json
import os
import stat
from pathlib import Path

import pytest
from rushes.platform.folder import PlatformFolder
from rushes.store.platform_error import PlatformError


def test_a_nearly_full_disk_is_refused_with_both_figures(tmp_path: Path) -> None:
    folder = PlatformFolder(tmp_path / "data", least_space=10**18)
    with pytest.raises(PlatformError, match=r"is nearly full: \d+ MB are free, 1000000000000 MB are needed"):
        folder.open()
    folder.close()


def test_the_files_of_a_running_platform_are_closed_and_go_away(tmp_path: Path) -> None:
    folder = PlatformFolder(tmp_path / "data")
    folder.open()
    folder.tell_ready("http://127.0.0.1:1", "postgresql://secret")
    state = tmp_path / "data" / "platform.json"
    assert json.loads(state.read_text())["pid"] == os.getpid()
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    folder.close()
    folder.close()
    assert not state.exists()


def test_a_second_one_is_told_even_before_the_first_is_ready(tmp_path: Path) -> None:
    first, second = PlatformFolder(tmp_path), PlatformFolder(tmp_path)
    first.open()
    with pytest.raises(PlatformError, match=rf"already running in .* \(pid {os.getpid()}, not ready yet\)"):
        second.open()
    second.close()
    first.tell_ready("http://127.0.0.1:1", "")
    with pytest.raises(PlatformError, match=rf"at http://127.0.0.1:1 \(pid {os.getpid()}\); stop it"):
        second.open()
    first.close()
    second.open()
    second.close()


def test_a_stale_file_of_a_killed_platform_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "platform.json").write_text('{"address": "http://127.0.0.1:9", "pid": 1}')
    folder = PlatformFolder(tmp_path)
    folder.open()
    assert not (tmp_path / "platform.json").exists()
    folder.close()
