"""A regression whose network is built from a config."""
from ... import networks
from ...registry import MODELS


@MODELS.register_module()
class RegressionNetwork(networks.RegressionNetwork):
    """:class:`irsde_mm.networks.RegressionNetwork` of a config.

    Args:
        network (dict): Config of the network, as it stands under
            ``generator`` in that of the process.
    """

    def __init__(self, network: dict) -> None:
        super().__init__(MODELS.build(network))
