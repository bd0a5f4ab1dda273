"""Config and checkpoint of a work directory."""
from irsde_mm.model_files.runs import find_run, newest_run

#: A file that macOS writes next to others on foreign file systems.
APPLE_DOUBLE = b'\0\5\x16\7\0\2\0\0Mac OS X        '


def test_work_directories_from_a_mac(tmp_path):
    for name in ('run.py', 'iter_2.pth', '._run.py', '._iter_2.pth'):
        (tmp_path / 'run').mkdir(exist_ok=True)
        (tmp_path / 'run' / name).write_bytes(APPLE_DOUBLE)
    assert find_run(tmp_path / 'run') == (
        tmp_path / 'run' / 'run.py', tmp_path / 'run' / 'iter_2.pth')
    assert newest_run(str(tmp_path)) == tmp_path / 'run'
