"""Networks that are trained before the process and then frozen."""
from torch import nn

from ...errors import CheckpointError, ConfigError
from ...model_files.checkpoints import check_weights, read_content


def load_frozen(model: nn.Module, key: str, what: str) -> None:
    """Load the weights of a frozen network of a model.

    Args:
        model (nn.Module): Model with the network ``key`` and the path of its
            checkpoint, ``{key}_checkpoint``, in which the network is the
            ``generator``.
        key (str): Name of the network.
        what (str): What it is, for messages.

    Raises:
        ConfigError: If no checkpoint is set.
        CheckpointError: If the checkpoint is missing or does not match the
            network.
    """
    path = getattr(model, f'{key}_checkpoint')
    if path is None:
        raise ConfigError(f'{type(model).__name__} needs a trained {what}; '
                          f'set model.{key}_checkpoint to its checkpoint.')
    network, prefix = getattr(model, key), 'generator.'
    weights = {
        name.removeprefix(prefix): value
        for name, value in read_content(path).get('state_dict', {}).items()
        if name.startswith(prefix)}
    try:
        check_weights(weights, network.state_dict())
        network.load_state_dict(weights)
    except (CheckpointError, RuntimeError) as error:
        raise CheckpointError(
            f"'{path}' is not a checkpoint of model.{key}: "
            f'{str(error).splitlines()[-1].strip()}') from error
