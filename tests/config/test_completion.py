"""Hooks that the tools add to a config."""
import pytest
from irsde_mm.config import complete_config, load_config
from irsde_mm.config.arguments import check_arguments
from irsde_mm.config.files import PACKAGED, read_config
from irsde_mm.config.names import ADDED_HOOKS, REPLACED_HOOKS
from irsde_mm.engine import hooks as engine_hooks

RUNTIME = PACKAGED / '_base_' / 'default_runtime.py'
NAFNET = "_base_ = 'mmagic::nafnet/nafnet_c64eb11128mb1db1111_8xb8-lr1e-3-" \
         "400k_gopro.py'\n"


def ours(hooks: dict) -> dict:
    """Return the classes of irsde_mm's hooks by name."""
    return {name: hook['type'].removeprefix('irsde_mm.')
            for name, hook in hooks.items()
            if hook and hook['type'].startswith('irsde_mm.')}


def test_runtime_lists_every_default_hook():
    """The bundled configs get their hooks from default_runtime.py alone."""
    listed = ours(read_config(RUNTIME).default_hooks)
    assert listed == {**ADDED_HOOKS, **REPLACED_HOOKS,
                      'pictures': 'PicturesHook'}
    # opt-in
    assert set(engine_hooks.__all__) - set(listed.values()) == {
        'CompileHook', 'ConsistencyHook'}


@pytest.mark.parametrize('deleted', [*ADDED_HOOKS, 'pictures'])
def test_hooks_deleted_from_the_runtime_stay_deleted(deleted, tmp_path):
    lines = RUNTIME.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(f'    {deleted}=')]
    assert len(kept) == len(lines) - 1
    text = ''.join(kept)
    if deleted == 'skipped':  # the last line closes the dict
        text = text.replace("'irsde_mm.ResultsHook'),",
                            "'irsde_mm.ResultsHook'))")
    path = tmp_path / 'mine.py'
    path.write_text(text)
    cfg = read_config(path)
    before = dict(cfg.default_hooks)
    complete_config(cfg)
    assert cfg.default_hooks == before and deleted not in before


def test_hook_set_to_none_stays_off():
    cfg = load_config('quickstart/derain', {
        'default_hooks.guard': None, 'default_hooks.logger': None})
    complete_config(cfg)
    assert cfg.default_hooks.guard is cfg.default_hooks.logger is None


def test_hooks_are_added_to_mmagic_configs(tmp_path):
    """Hooks that the config sets are not changed."""
    path = tmp_path / 'mine.py'
    path.write_text(NAFNET + "default_hooks = dict(progress=None, guard=dict("
                    "type='irsde_mm.GuardHook', patience=3))\n")
    cfg = read_config(path)
    complete_config(cfg)
    assert ours(cfg.default_hooks) == {
        name: hook for name, hook in {**ADDED_HOOKS, **REPLACED_HOOKS}.items()
        if name != 'progress'}
    assert cfg.default_hooks.guard.patience == 3
    assert cfg.default_hooks.progress is None
    again = read_config(path)
    again.default_hooks = cfg.default_hooks
    complete_config(again)
    assert again.default_hooks == cfg.default_hooks


def test_warning_without_plain_checkpoints(tmp_path):
    cfg = load_config('quickstart/derain')
    del cfg.default_hooks['plain_checkpoint']
    complete_config(cfg)
    with pytest.warns(UserWarning, match='plain_checkpoint is disabled'):
        check_arguments(cfg)


def test_test_images_are_drawn_once():
    """ResultsHook draws them, or mmagic's hook if it is off."""
    for results, drawn in (({}, False), (
            {'default_hooks.results': None}, None)):
        cfg = load_config('quickstart/derain', {
            'custom_hooks': [dict(type='BasicVisualizationHook')], **results})
        complete_config(cfg)
        assert cfg.custom_hooks[0].get('on_test') is drawn
