"""Plot loss, scores and learning rate of training runs:
python tools/plot_logs.py work_dirs/a work_dirs/b --out plot.png"""
import argparse

from irsde_mm.commands import cli


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('runs', nargs='+', metavar='RUN', help='work folders '
                        'or log files of mmengine (scalars.json)')
    parser.add_argument('--out', default='plot.png',
                        help='picture to write; must not exist')
    parser.add_argument('--keys', nargs='+', metavar='KEY', help='logged '
                        'values, one panel each (default: loss, PSNR, SSIM '
                        'and lr)')
    parser.add_argument('--smooth', type=int, default=1, metavar='N',
                        help='average the loss over N logged values')
    return parser


def main(args: argparse.Namespace) -> None:
    from irsde_mm.config.preview import new_picture
    from training_logs import KEYS, draw_runs, read_runs
    runs = read_runs(args.runs)
    out = new_picture(args.out)
    draw_runs(runs, out, keys=args.keys or KEYS, smooth=args.smooth)
    for name, log in runs.items():
        print(f'{name}: {len(log)} logged iterations up to {log.index[-1]}')
    print(f'curves: {out}')


if __name__ == '__main__':
    cli.run(main, parser())
