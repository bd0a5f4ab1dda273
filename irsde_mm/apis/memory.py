"""How much memory a photo needs."""
import torch
from torch import nn

from .inference import image_channels

PROBE = 128


def peak_allocation(model: nn.Module, height: int, width: int,
                    channels: int = 3) -> int:
    """Bytes that a network call holds at its peak, by the allocator's record.

    Args:
        model: A model with ``generator`` (noise predictor) on the CPU or a
            GPU.
        height, width, channels (int): Of the image.
    """
    device = next(model.parameters()).device

    def call():
        with torch.inference_mode():
            if hasattr(model, 'sampler'):
                model.generator(image, image, 1)
            else:
                model.generator(image)

    image = torch.zeros(1, channels, height, width, device=device)
    if device.type == 'cuda':
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        call()
        return torch.cuda.max_memory_allocated(device) - before
    with torch.profiler.profile(
            activities=[torch.profiler.ProfilerActivity.CPU],
            profile_memory=True) as profile:
        call()
    events = sorted(profile.events(), key=lambda e: e.time_range.start)
    held = peak = 0
    for event in events:
        held += event.self_cpu_memory_usage
        peak = max(peak, held)
    return peak


def estimate_memory(model: nn.Module, height: int, width: int) -> int:
    """Bytes that restoring an image of that size needs, roughly.

    A network call on a small image is measured and scaled with the area
    (attention between all pixels, in the unconditional U-Net, takes no more
    where PyTorch's fused kernel is used); seven images are the sampler's.
    """
    channels = image_channels(model)
    pixels = height * width
    call = peak_allocation(model, PROBE, PROBE, channels)
    return int(call * pixels / PROBE**2 + 7 * 4 * channels * pixels)
