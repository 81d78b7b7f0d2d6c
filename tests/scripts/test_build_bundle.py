"""The lock is split by target before pip sees it."""

from scripts.build_bundle import TARGETS, entries, serves, write_sums

LOCK = """\
# a comment
click==8.5.1 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:cc
old==1 ; python_full_version < '3.12' --hash=sha256:dd
"""


def wanted(target):
    return [entry.split("==")[0] for entry in entries(LOCK) if serves(entry, TARGETS[target])]


def test_a_library_of_windows_is_left_out_on_linux():
    assert wanted("linux-3.13") == ["click"]
    assert wanted("windows-3.13") == ["click", "colorama"]


def test_a_library_of_an_older_python_is_kept_for_it():
    assert wanted("linux-3.11") == ["click", "old"]


def test_sums_name_every_file_below_the_folder(tmp_path):
    (tmp_path / "bánh xe").mkdir()
    (tmp_path / "bánh xe" / "a.whl").write_bytes(b"")
    write_sums(tmp_path)
    assert (tmp_path / "SHA256SUMS").read_text(encoding="utf-8") == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  bánh xe/a.whl\n"
    )
