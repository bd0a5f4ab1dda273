"""Published data sets: origin, file names and targets, the table of
tools/prepare_data.py.

File names are taken from papers, project pages and third-party code; only
entries with verified=True were tested on the real files.
"""
from typing import Tuple

from data_layouts import (gopro, istd, ntire2023_haze, ntire2023_shadow,
                          rain)
from data_parts import Pair, Part, Source

SCALES = (2, 3, 4)
UNVERIFIED = ('the file patterns were not checked against the real archive; '
              'use --pattern if names differ')


def low(prefix: str, pattern: str, target: str, example: str, count: int,
        names: str = Part.names) -> Tuple[Part, ...]:
    """Return the low-resolution images, one part per scale (@)."""
    parts = []
    for scale in SCALES:
        texts = [text.replace('@', str(scale))
                 for text in (pattern, target, example)]
        parts.append(Part(f'{prefix}x{scale}', texts[0], (texts[1],),
                          texts[2], count, names, optional=True))
    return tuple(parts)


def scaled(prefix: str) -> Tuple[Pair, ...]:
    return tuple(Pair(f'{prefix}x{scale}', f'{prefix}hr', scale)
                 for scale in SCALES)


def df2k_parts(title: str, high: str, low_folder: str, first: str,
               count: int) -> Tuple[Part, ...]:
    """Return the high-resolution images, for two tasks, and the low-resolution
    ones, for one."""
    digits, prefix = rf'\d{{{len(first)}}}', f'{title.lower()}_'
    return (
        Part(f'{prefix}hr', rf'(?:.*/)?{high}/(?P<name>{digits})\.png',
             ('df2k/HR/{name}', f'denoising_train/{title}_{{name}}'),
             f'{high}/{first}.png', count, digits),
        *low(prefix,
             rf'(?:.*/)?{low_folder}(?:/|_)X@/(?:[^/]+/)*'
             rf'(?P<name>{digits})x@\.png',
             'df2k/LR_bicubic/X@/{name}',
             f'{low_folder}/X@/{first}x@.png', count, digits))


def one(role: str, pattern: str, target: str, example: str, count: int,
        **kwargs) -> Tuple[Part, ...]:
    return (Part(role, r'(?:.*/)?' + pattern, (target,), example, count,
                 **kwargs),)


SR = ('configs/irsde/sr.py',)
DENOISE = ('configs/irsde/denoise.py',)
INPAINT = ('configs/irsde/inpaint.py',)
DEHAZE = ('configs/irsde/dehaze.py',)
BERKELEY = ('https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/'
            'grouping/resources.html')
RESIDE = ('RESIDE (Li et al., "Benchmarking Single-Image Dehazing and '
          'Beyond", TIP 2019), ')
RESIDE_PAGE = 'https://sites.google.com/view/reside-dehaze-datasets'
DIV2K_PAGE = 'https://data.vision.ee.ethz.ch/cvl/DIV2K/'
DIV2K_TERMS = ('for academic research only; the photos belong to their '
               'owners')
PAGE_TERMS = 'unknown; see the project page'

SOURCES = {
    'rain100h': rain('Rain100H', 1800, 'derain'),
    'rain100l': rain('Rain100L', 200, 'derain_rain100l'),
    'gopro': gopro(),
    'div2k': Source(
        'DIV2K, training images (Agustsson and Timofte, CVPR Workshops 2017)',
        DIV2K_PAGE, DIV2K_TERMS, SR + DENOISE,
        df2k_parts('DIV2K', 'DIV2K_train_HR', 'DIV2K_train_LR_bicubic',
                   '0001', 800), scaled('div2k_')),
    'flickr2k': Source(
        'Flickr2K (Timofte et al., Lim et al., CVPR Workshops 2017)',
        'https://github.com/limbee/NTIRE2017 (Flickr2K.tar)',
        'unknown; the photos are from Flickr', SR + DENOISE,
        df2k_parts('Flickr2K', 'Flickr2K_HR', 'Flickr2K_LR_bicubic',
                   '000001', 2650), scaled('flickr2k_')),
    'div2k_valid': Source(
        'DIV2K, validation images (Agustsson and Timofte, CVPR Workshops '
        '2017)', DIV2K_PAGE, DIV2K_TERMS, SR,
        (Part('hr', r'(?:.*/)?DIV2K_valid_HR/(?P<name>\d{4})\.png',
              ('DIV2K/DIV2K_valid_HR/{name}',), 'DIV2K_valid_HR/0801.png',
              100),
         *low('', r'(?:.*/)?DIV2K_valid_LR_bicubic(?:/|_)X@/(?:[^/]+/)*'
              r'(?P<name>\d{4})x@\.png',
              'DIV2K/DIV2K_valid_LR_bicubic/X@/{name}',
              'DIV2K_valid_LR_bicubic/X@/0801x@.png', 100)),
        scaled('')),
    'set5': Source(
        'Set5 (Bevilacqua et al., BMVC 2012)',
        'the test sets of BasicSR and mmagic (folders GTmod12 and LRbicx4)',
        'unknown', SR,
        (Part('hr', r'(?:.*/)?GTmod12/(?P<name>baby|bird|butterfly|head|'
              r'woman)\.png', ('Set5/GTmod12/{name}',),
              'Set5/GTmod12/baby.png', 5),
         *low('', r'(?:.*/)?LRbicx@/(?P<name>baby|bird|butterfly|head|woman)'
              r'\.png', 'Set5/LRbicx@/{name}', 'Set5/LRbicx@/baby.png', 5)),
        scaled('')),
    'bsd500': Source(
        'BSDS500 (Arbelaez et al., "Contour Detection and Hierarchical Image '
        'Segmentation", TPAMI 2011)', f'{BERKELEY} (BSR_bsds500.tgz)',
        'non-commercial research and education', DENOISE,
        one('images', r'images/(?:train|val|test)/(?P<name>\d+)\.jpg',
            'denoising_train/BSD500_{name}',
            'BSR/BSDS500/data/images/train/100075.jpg', 500),
        note='images/val holds the images of CBSD68. To train without them: '
        "--subset --pattern 'images=.*images/(train|test)/(?P<name>\\d+)"
        "\\.jpg'"),
    'waterloo': Source(
        'Waterloo Exploration Database (Ma et al., TIP 2017)',
        'https://ece.uwaterloo.ca/~k29ma/exploration/', PAGE_TERMS, DENOISE,
        one('images', r'(?P<name>\d+)\.bmp', 'denoising_train/Waterloo_{name}',
            'pristine_images/00001.bmp', 4744)),
    'mcmaster': Source(
        'McMaster (Zhang et al., "Color demosaicking by local directional '
        'interpolation and nonlocal adaptive thresholding", JEI 2011)',
        'https://www4.comp.polyu.edu.hk/~cslzhang/CDM_Dataset.htm',
        PAGE_TERMS, DENOISE,
        one('images', r'(?P<name>\d{1,2})\.tiff?',
            'denoising_gaussian_test/McMaster/{name}', 'McM/1.tif', 18),
        verified=True),
    'kodak24': Source(
        'Kodak24 (Kodak Lossless True Color Image Suite)',
        'http://r0k.us/graphics/kodak/ (768x512), or the test sets of FFDNet '
        '(cut to 500x500)',
        'released by Kodak for unrestricted use, according to the page',
        DENOISE,
        one('images', r'(?P<name>kodim\d\d)\.png',
            'denoising_gaussian_test/Kodak24/{name}', 'kodim01.png', 24),
        note='some papers test on the cut images, others on whole ones; '
        'their scores differ', verified=True),
    'cbsd68': Source(
        'CBSD68 (68 images of Martin et al., ICCV 2001, in colour)',
        f'{BERKELEY}; the selection of 68 comes with the code of denoising '
        'papers',
        'non-commercial research and education', DENOISE,
        one('images', r'(?:CBSD68|original_png)/(?P<name>\d+)\.png',
            'denoising_gaussian_test/CBSD68/{name}', 'CBSD68/101085.png',
            68)),
    'celebahq': Source(
        'CelebA-HQ at 256x256 (Karras et al., "Progressive Growing of GANs", '
        'ICLR 2018)',
        'https://github.com/tkarras/progressive_growing_of_gans',
        'non-commercial research, as for CelebA', INPAINT,
        (Part('train', r'(?!(?:.*/)?[^/]*test[^/]*/)(?:.*/)?(?P<name>\d+)'
              r'\.(?:png|jpe?g)', ('celebahq/train_256/{name}',),
              'celeba_hq_256/00100.jpg', None, size=(256, 256)),
         Part('test', r'(?:.*/)?[^/]*test[^/]*/(?:[^/]*/)*(?P<name>\d+)'
              r'\.(?:png|jpe?g)', ('celebahq/test_256/{name}',),
              'celeba_hq_256_test/00000.jpg', 100, size=(256, 256))),
        note='the 100 of 30,000 images that the paper tests on are unknown; '
        'images in a folder with test in its name are used'),
    'thin_masks': Source(
        'thin masks (Lugmayr et al., "RePaint", CVPR 2022)',
        'https://github.com/andreas128/RePaint', PAGE_TERMS, INPAINT,
        one('masks', r'thin/(?P<name>[^/]+)\.png',
            'inpainting_masks/thin/{name}', 'gt_keep_masks/thin/000000.png',
            100, mask=True), verified=True),
    'reside_its': Source(
        RESIDE + 'indoor training set', RESIDE_PAGE, PAGE_TERMS, DEHAZE,
        # the images of SOTS begin at 1400
        one('hazy', r'(?<!outdoor/)[^/]*haz[ey][^/]*/(?!14\d\d)'
            r'(?P<name>\d+_\d+(?:_[\d.]+)?)\.png',
            'reside/ITS/hazy/{name}', 'ITS/hazy/1_1_0.90179.png', 13990)
        + one('clear', r'(?<!outdoor/)(?:[^/]*clear[^/]*|gt)/(?!14\d\d)'
              r'(?P<name>\d+)\.png', 'reside/ITS/clear/{name}',
              'ITS/clear/1.png', 1399),
        (Pair('hazy', 'clear', many=True),)),
    'sots_indoor': Source(
        RESIDE + 'indoor test set', RESIDE_PAGE, PAGE_TERMS, DEHAZE,
        one('hazy', r'(?<!outdoor/)hazy/(?P<name>14\d\d_\d+)\.png',
            'reside/SOTS_indoor/hazy/{name}', 'SOTS/indoor/hazy/1400_1.png',
            500)
        + one('clear', r'(?<!outdoor/)(?:gt|clear)/(?P<name>14\d\d)\.png',
              'reside/SOTS_indoor/clear/{name}', 'SOTS/indoor/gt/1400.png',
              50),
        (Pair('hazy', 'clear', many=True, crop=True),),
        note='larger clear images are center-cropped to the size of the hazy '
        'ones'),
    'ntire2023_haze': ntire2023_haze(),
    'ntire2023_shadow': ntire2023_shadow(),
    'istd': istd(),
}
SOURCES['df2k'] = Source(
    'DF2K: DIV2K and Flickr2K', f"{SOURCES['div2k'].obtained}; "
    f"{SOURCES['flickr2k'].obtained}",
    f"DIV2K: {DIV2K_TERMS}; Flickr2K: {SOURCES['flickr2k'].terms}",
    SR + DENOISE, SOURCES['div2k'].parts + SOURCES['flickr2k'].parts,
    SOURCES['div2k'].pairs + SOURCES['flickr2k'].pairs)


def listing() -> str:
    """Return the list of data sets; * marks patterns that were not checked."""
    lines = ['data sets:']
    for name, source in SOURCES.items():
        lines += [f"  {name}{'' if source.verified else '*'}: {source.title}",
                  f'    from {source.obtained}']
    return '\n'.join([*lines, f'* {UNVERIFIED}'])
