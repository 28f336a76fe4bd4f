"""What counts as room on a disk."""

import subprocess
import sys
from pathlib import Path

import pytest
from rushes.artifacts import space
from rushes.artifacts.space import Space

GB = 1 << 30


@pytest.mark.parametrize(
    ("total", "free", "short"),
    [
        (10 * GB, 600_000_000, False),  # a small disk keeps a twentieth
        (10 * GB, 500_000_000, True),
        (4000 * GB, 3 * GB, False),  # a large one keeps 2 GiB, not 200
        (4000 * GB, 2 * GB - 1, True),
    ],
)
def test_a_twentieth_stays_free_and_of_large_disks_two_gigabytes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, total: int, free: int, short: bool
) -> None:
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: (total, total - free, free))
    assert (Space(tmp_path).shortage() is not None) == short


def test_a_disk_that_is_full_is_seen_and_seen_to_have_room_again(tmp_path: Path) -> None:
    """A real one, of twelve megabytes, in a mount namespace of its own."""
    script = """if True:
        import sys
        from pathlib import Path
        from rushes.artifacts.space import Space
        folder = Path(sys.argv[1])
        print(Space(folder).shortage())
        (folder / "big").write_bytes(bytes(12_200_000))
        print(Space(folder).shortage())
        (folder / "big").unlink()
        print(Space(folder).shortage())"""
    inner = ["sh", "-c", 'mount -t tmpfs -o size=12m none "$1" && exec "$2" -c "$3" "$1"', "sh"]
    command = ["unshare", "--user", "--map-root-user", "--mount", *inner, str(tmp_path), sys.executable, script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "None",
        "the disk is nearly full: 0 MB are free, 0 MB stay reserved",
        "None",
    ]


def test_a_folder_that_is_gone_is_no_room(tmp_path: Path) -> None:
    assert Space(tmp_path / "gone").shortage() == "the disk cannot be asked: No such file or directory"
