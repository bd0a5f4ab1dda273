"""Draw the picture of docs/family.md, the curves a, b and c of each process:
python tools/draw_family.py"""
import argparse
from pathlib import Path
from typing import Dict, Tuple

PICTURE = (Path(__file__).resolve().parents[1] / 'docs' / 'images'
           / 'family.png')
TITLES = ('a: share of the clean image', 'b: share of the degraded image',
          'c: standard deviation of the noise (gray levels)')


def processes() -> Dict[str, tuple]:
    """Return the processes with the settings of docs/family.md, and the line
    style of each."""
    from irsde_mm import sde
    lam = dict(max_sigma=30 / 255)
    return {
        'IR-SDE': (sde.IRSDE(**lam), 'C0-'),
        'GOUB': (sde.GOUB(**lam), 'C1-'),
        'UniDB, gamma = 100': (sde.UniDB(**lam, gamma=100), 'C1--'),
        'I2SB': (sde.I2SB(), 'C2-'),
        'ResShift': (sde.ResShift(), 'C3-'),
        'RDDM': (sde.RDDM(num_steps=1000), 'C4-'),
        'straight': (sde.StraightSDE(sigma=10 / 255), 'C5-'),
        'straight, bridge': (sde.StraightSDE(30 / 255, bridge=True), 'C5--'),
        'Denoising-SDE': (sde.DenoisingSDE(70 / 255), 'C7--'),
        'VPSDE (SR3)': (sde.VPSDE(), 'C7-')}


def curves(process, points: int = 501) -> Tuple:
    """Return t / T, a, b, and c in gray levels of images in [0, 255]."""
    import torch
    share = torch.linspace(0, 1, points, dtype=torch.float64)
    t = (share * process.num_steps).clamp_max(process.num_steps)
    a, b, c = (x.flatten() for x in process.coefficients(t))
    black, white = process.from_image(torch.tensor([0., 1.]))
    return share, a, b, 255 * c / (white - black)


def draw():
    """Return the figure."""
    from irsde_mm.config.preview import pyplot
    plt = pyplot()
    figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout='constrained')
    for name, (process, style) in processes().items():
        share, *lines = curves(process)
        for axis, line in zip(axes, lines):
            axis.plot(share, line, style, label=name, linewidth=1.5)
    for axis, title in zip(axes, TITLES):
        axis.set_title(title, fontsize=10)
        axis.set_xlabel('t / T')
        axis.grid(alpha=0.3)
    axes[2].set_yscale('log')
    axes[2].set_ylim(0.5, 300)
    figure.legend(*axes[0].get_legend_handles_labels(), ncols=5, fontsize=9,
                  loc='outside lower center')
    return figure


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    draw().savefig(PICTURE, dpi=100, pil_kwargs=dict(optimize=True))
    print(f'{PICTURE}: {PICTURE.stat().st_size / 1000:.0f} kB')


if __name__ == '__main__':
    main()
