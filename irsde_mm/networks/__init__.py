"""Networks of a process, ``forward(xt, mu, t)``, and regression networks."""
from .blocks import ProcessNetwork
from .conditional_nafnet import ConditionalNAFNet
from .conditional_unet import ConditionalUNet
from .latent_unet import LatentUNet
from .maxim import MAXIM
from .regression import RegressionNetwork
from .vgg import VGG16Features

__all__ = [
    'ProcessNetwork', 'ConditionalUNet', 'ConditionalNAFNet', 'LatentUNet',
    'MAXIM', 'RegressionNetwork', 'VGG16Features'
]
