"""File names of published data sets, in tools/data_sources.py."""
import re

import pytest
from conftest import ROOT


@pytest.fixture
def table(monkeypatch):
    """The module with the table, imported as the tool imports it."""
    monkeypatch.syspath_prepend(str(ROOT / 'tools'))
    import data_sources
    return data_sources


RAIN_LAYOUTS = {  # one test pair in each
    'PReNet': ('Rain100H/rainy/rain-007.png', 'Rain100H/norain-007.png'),
    'MPRNet': ('test/Rain100H/input/7.png', 'test/Rain100H/target/7.png'),
    'alone': ('Rain100H/input/7.png', 'Rain100H/target/7.png'),
    'source': ('input/7.png', 'target/7.png'),
    'JORDER': ('rain_data_test_Heavy/rain/X2/norain-007x2.png',
               'rain_data_test_Heavy/norain-007.png'),
    'JORDER, folders': ('rain/X2/norain-007x2.png', 'norain/norain-007.png'),
    'same names': ('rain_data_test_Heavy/rain/norain-7.png',
                   'rain_data_test_Heavy/norain/norain-7.png'),
    'deeper': ('rain_data_test_Heavy/rain_heavy_test/rain/norain-7.png',
               'rain_data_test_Heavy/rain_heavy_test/norain/norain-7.png'),
    'words': ('Rain100H/test/input/rain-7.png',
              'Rain100H/test/groundtruth/norain-7.png'),
    'BasicSR': ('rain100H/LQ/norain-7.png', 'rain100H/GT/norain-7.png'),
    'one folder': ('Rain100H/rain-7.png', 'Rain100H/norain-7.png'),
}


def targets_of(source, path: str) -> list:
    """Return the target path in each part that matches a path."""
    found = [(part, re.fullmatch(part.pattern, path, re.I))
             for part in source.parts]
    return [part.fill(match.groupdict())[0] for part, match in found if match]


@pytest.mark.parametrize('level', 'HL')
def test_rain_layouts(level, table):
    source = table.SOURCES[f'rain100{level.lower()}']
    other = table.SOURCES['rain100l' if level == 'H' else 'rain100h']
    for layout, pair in RAIN_LAYOUTS.items():
        for side, path in zip(('input', 'target'), pair):
            if level == 'L':
                for heavy, light in (('100H', '100L'), ('Heavy', 'Light'),
                                     ('heavy', 'light')):
                    path = path.replace(heavy, light)
            number = '007' if '007' in path else '7'
            assert targets_of(source, f'raw/{path}') == [
                f'rain100{level.lower()}/test/{side}/{number}'], layout
            if f'100{level}' in path or 'data' in path:
                assert not targets_of(other, f'raw/{path}'), layout
    # rain streaks without an image
    folder = f'raw/Rain100{level}/'
    assert not targets_of(source, f'{folder}rainstreak-7.png')
    assert not targets_of(source, f'{folder}streak/rain-7.png')


RAIN_PATHS = [
    ('RainTrainH/rain-12.png', 'train/input/12'),
    ('RainTrainH/norain-12.png', 'train/target/12'),
    ('RainTrainH/rainstreak-12.png', ''),
    ('rain_data_train_Heavy/rain/X2/norain-12x2.png', 'train/input/12'),
    ('rain_data_train_Heavy/norain-12.png', 'train/target/12'),
    ('train/Rain100H/rain/norain-12x2.png', 'train/input/12'),
    ('Rain100H/train/gt/12.png', 'train/target/12'),
    ('rain/train/norain/norain-12.png', 'train/target/12'),
    ('rain/test/norain/norain-12.png', 'test/target/12'),
    ('train_all/test/Rain100H/rainy/rain-12.png', 'test/input/12'),
    ('RainTrainL/rain-12.png', ''), ('my_highlights/Rain100H/rain-1.png',
                                     'test/input/1'),
    ('train_and_test/rain/rain-1.png', ''), ('sets/Rain12/rain/1.png', '')]
GOPRO_PATHS = [
    ('GOPRO_Large/train/GOPR0372_07_00/blur/000047.png', 'train/blur'),
    ('GOPRO_Large/train/GOPR0372_07_00/blur_gamma/000047.png', ''),
    ('GoPro/test/input/GOPR0372_07_00-000047.png', 'test/blur'),
    ('GoPro/test/target/GOPR0372_07_00-000047.png', 'test/sharp'),
    ('GoPro/test/blurred/GOPR0372_07_00_000047.png', 'test/blur'),
    ('GoPro/train/sharp/GOPR0372_07_00/000047.png', 'train/sharp'),
    ('GoPro/train/sharp/000047.png', ''),
    ('GoPro/train/GOPR0372_07_00/000047.png', '')]
OTHER_PATHS = [
    ('reside_its', 'RESIDE/ITS/train/ITS_haze/1_1_0.9.png',
     'reside/ITS/hazy/1_1_0.9'),
    ('reside_its', 'RESIDE/ITS/train/ITS_clear/1.png', 'reside/ITS/clear/1'),
    ('reside_its', 'reside-indoor/train/GT/1.png', 'reside/ITS/clear/1'),
    ('reside_its', 'RESIDE/SOTS/indoor/hazy/1400_1.png', ''),
    ('reside_its', 'RESIDE/SOTS/indoor/gt/1400.png', ''),
    ('reside_its', 'RESIDE/SOTS/outdoor/gt/0001.png', ''),
    ('sots_indoor', 'SOTS/nyuhaze500/gt/1400.png',
     'reside/SOTS_indoor/clear/1400'),
    ('sots_indoor', 'SOTS-Test/valid_indoor/input/1400_1.png', ''),
    ('cbsd68', 'CBSD68/noisy25/0000.png', ''),
    ('cbsd68', 'CBSD68-dataset/CBSD68/original_png/0000.png',
     'denoising_gaussian_test/CBSD68/0000'),
    ('celebahq', 'celeba_hq_256/test/00000.jpg', 'celebahq/test_256/00000'),
    ('ntire2023_shadow', 'NTIRE23_sr_val_inp/0000.png',
     'ntire2023_shadow/val/shadow/0000'),
    ('ntire2023_shadow', 'ntire2023/shadow/train/GT/0007.png',
     'ntire2023_shadow/train/shadow_free/0007'),
    ('ntire2023_shadow', 'ntire23_sr_test_inp/0000.png', ''),
    ('ntire2023_shadow', 'ntire2023/shadow/train/LQ_sub/0007_s001.png', ''),
    ('ntire2023_haze', 'NTIRE2023/Dehazing/train/images/01.png',
     'ntire2023_haze/train/hazy/01'),
    ('ntire2023_haze', 'NTIRE2023/Dehazing/val/labels/41.JPG',
     'ntire2023_haze/val/clear/41'),
    ('ntire2023_haze', 'NTIRE2023/Dehazing/test/hazy/46.png', ''),
    ('istd', 'ISTD_Dataset/test/test_A/100-1.png', 'istd/test/shadow/100-1'),
    ('istd', 'ISTD_Dataset/train/train_B/1-1.png', ''),
    ('istd', 'ISTD_Dataset/train/train_C_fixed_ours/1-1.png', ''),
]


def test_paths(table):
    expected = [
        *(('rain100h', path, role and f'rain100h/{role}')
          for path, role in RAIN_PATHS),
        *(('gopro', path, role and f'gopro/{role}/GOPR0372_07_00-000047')
          for path, role in GOPRO_PATHS),
        *OTHER_PATHS]
    for name, path, target in expected:
        assert targets_of(table.SOURCES[name], path) == (
            [target] * bool(target)), path
