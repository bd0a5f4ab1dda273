"""Draw the images that training gets, degraded beside clean ones:
python tools/browse_dataset.py quickstart/derain --out look.png"""
import argparse

from irsde_mm.commands import cli
from irsde_mm.errors import building


def parser() -> argparse.ArgumentParser:
    from mmengine.config import DictAction
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='path or name of a config')
    parser.add_argument('--phase', choices=['train', 'val', 'test'],
                        default='train')
    parser.add_argument('--number', type=int, default=12,
                        help='number of samples')
    parser.add_argument('--out', default='dataset.png',
                        help='picture to write; must not exist')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, default={},
        metavar='KEY=VALUE', help='settings that override the config')
    cli.data_argument(parser)
    return parser


def main(args: argparse.Namespace) -> None:
    from irsde_mm.config import load_config
    from irsde_mm.config.checks import check_data
    from irsde_mm.config.names import OWN_DATA_NAMES
    from irsde_mm.config.preview import draw_dataset, new_picture
    from irsde_mm.errors import ConfigError
    if args.number < 1:
        raise ConfigError('--number must be at least 1.')
    out = new_picture(args.out)
    cfg = load_config(args.config, args.cfg_options,
                      OWN_DATA_NAMES if args.data else ())
    cli.use_data(cfg, args)
    if not cfg.get(f'{args.phase}_dataloader'):
        raise ConfigError(f"'{args.config}' has no {args.phase}_dataloader.")
    with building(f"the data of '{args.config}' cannot be read"):
        check_data(cfg, args.phase)
        items = draw_dataset(cfg, args.phase, out, args.number)
    print(f'{out}: {len(items)} samples')


if __name__ == '__main__':
    cli.run(main, parser())
