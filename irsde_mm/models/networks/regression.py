"""Regression network built from a config."""
from ... import networks
from ...registry import MODELS


@MODELS.register_module()
class RegressionNetwork(networks.RegressionNetwork):
    """:class:`irsde_mm.networks.RegressionNetwork` built from a config.

    Args:
        network (dict): Config of the network, in the format of ``generator``
            in a diffusion model.
    """

    def __init__(self, network: dict) -> None:
        super().__init__(MODELS.build(network))
