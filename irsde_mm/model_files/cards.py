"""Model cards with the metadata of the Hugging Face Hub."""
from typing import Any, Optional, Sequence

from .hub_folders import LIBRARY
from .origin import Origin

TASK = 'image-to-image'
#: Longest card that is copied, in bytes.
MAX_CARD = 2**20
BODY = '''# {title}

A model of irsde_mm, which restores images with mean-reverting diffusion.

| part | settings |
|---|---|
{rows}

License: {licence}.

```python
from irsde_mm.inference import RestorationPipeline

pipeline = RestorationPipeline.from_pretrained('OWNER/NAME')
restored = pipeline('photo.jpg')  # (H, W, C) uint8 BGR
```
'''


def card_of(origin: Origin, settings: dict, license: Optional[str],
            datasets: Optional[Sequence[str]],
            metrics: Optional[Sequence[str]]) -> str:
    """Return the model card of a pipeline, with its metadata.

    Args:
        origin (Origin): Origin of the pipeline. Its card is kept, if it
            exists; otherwise the card lists the settings.
        settings (dict): Settings of the pipeline.
        license, datasets, metrics: See
            :meth:`RestorationPipeline.save_pretrained`.

    Raises:
        ValueError: If the card is too large or its metadata are invalid.
    """
    from huggingface_hub import ModelCard
    text = body_of(origin, settings)
    # the block of the metadata, which ModelCard requires
    card = ModelCard(text if text.startswith('---\n') else
                     f'---\nlibrary_name: {LIBRARY}\n---\n\n{text}')
    for key, value in (('license', license), ('datasets', datasets),
                       ('metrics', metrics)):
        if value is not None:
            card.data[key] = value if isinstance(value, str) else list(value)
    card.data['library_name'] = LIBRARY
    card.data['pipeline_tag'] = TASK
    return str(card)


def body_of(origin: Origin, settings: dict) -> str:
    """Return the text of a card, see :func:`card_of`."""
    if origin.card.is_file():
        if origin.card.stat().st_size > MAX_CARD:
            raise ValueError(f"'{origin.card}' is longer than {MAX_CARD} "
                             'bytes')
        return origin.card.read_text(encoding='utf-8')
    rows = '\n'.join(f'| {name} | `{short(settings[name])}` |' for name in (
        'network', 'initial', 'sde', 'output', 'sampler')
        if settings.get(name) is not None)
    return BODY.format(rows=rows, **origin.texts)


def short(part: Any) -> str:
    """Return a component's settings in the form ``Type(name=value, ...)``."""
    if not isinstance(part, dict):
        return str(part)
    values = ', '.join(f'{key}={value}' for key, value in part.items()
                       if key != 'type')
    return f"{part['type'].rpartition('.')[2]}({values})"
