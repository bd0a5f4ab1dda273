"""Layout of the page."""
from pathlib import Path

import gradio as gr

from ..inference.crispness import MAX_CRISPNESS
from ..inference.intervals import HIGHEST
from ..inference.presets import PRESETS, SAMPLERS
from . import view
from .service import DEFAULT_SAMPLER, MAX_SAMPLES, RestorationService

#: Maximum length of the queue.
MAX_WAITING = 8
#: Files older than this are deleted, checked at this interval (seconds).
MAX_AGE, INTERVAL = 3600, 600
MAX_SEED = 2**32 - 1
#: Option of events that are not part of an API.
PRIVATE = dict(api_visibility='private')


def build_page(service: RestorationService) -> gr.Blocks:
    """Build the page. One restoration runs at a time, a few can wait.

    Args:
        service (RestorationService): Handlers of its events.

    Returns:
        gradio.Blocks: The page; :func:`build_app` adds its theme and style
        sheet.
    """
    with gr.Blocks(title='Restore a photo', analytics_enabled=False,
                   delete_cache=(INTERVAL, MAX_AGE)) as page:
        gr.Markdown('# Restore a photo\nA mean-reverting diffusion model '
                    'restores the clean photo from a degraded one.')
        with gr.Row():
            with gr.Column(scale=2, min_width=300):
                inputs = build_inputs(service)
                with gr.Row():
                    start = gr.Button('Restore', variant='primary')
                    stop = gr.Button('Stop', variant='stop')
            with gr.Column(scale=3, min_width=300):
                outputs = build_outputs()
        connect(page, service, inputs, outputs, start, stop)
    return page.queue(max_size=MAX_WAITING, default_concurrency_limit=1,
                      api_open=False)


def build_theme() -> gr.Theme:
    """Create a theme that uses the fonts of the system."""
    font, mono = ([gr.themes.Font(name) for name in names] for names in (
        ('system-ui', 'sans-serif'), ('ui-monospace', 'monospace')))
    return gr.themes.Default(font=font, font_mono=mono).set(
        block_info_text_color='*neutral_600',
        block_info_text_color_dark='*neutral_300')


def build_inputs(service: RestorationService) -> dict:
    """Create the input components."""
    names = list(service.models)
    photo = gr.File(label='Photo', file_types=['image'], height=150)
    refuse_urls(photo)
    examples = gr.Gallery(
        label='Or an example', columns=3, height='auto', visible=False,
        allow_preview=False, interactive=False, buttons=[])
    model = gr.Dropdown(names, value=names[0], label='Model',
                        info='degradation to remove')
    with gr.Row():
        sampler = gr.Dropdown(
            [DEFAULT_SAMPLER, *PRESETS, *SAMPLERS], value=DEFAULT_SAMPLER,
            label='Sampler', info="default: the model's")
        steps = gr.Number(0, label='Steps', precision=0, minimum=0,
                          info="0: the sampler's")
    with gr.Row():
        seed = gr.Number(0, label='Seed', precision=0, minimum=0,
                         maximum=MAX_SEED,
                         info='selects one of the possible results')
        samples = gr.Slider(1, MAX_SAMPLES, 1, step=1, label='Results',
                            info='several show the uncertainty')
    crispness = gr.Slider(
        0, MAX_CRISPNESS, 1, step=0.05, label='Crispness', info='0: faithful '
        'to the photo but smooth; 1: one possible result with its detail')
    interval = gr.Number(
        0, label='Interval', minimum=0, maximum=HIGHEST, step=0.05,
        info='share of the pixels that the interval is to contain, such as '
        '0.9; shows its width, for models with a calibration; 0: none')
    white = gr.Number(0, label='White level', precision=0, minimum=0,
                      info='for 16-bit files, such as 4095 for 12-bit data; '
                      '0: 65535')
    return dict(photo=photo, examples=examples, model=model, white=white,
                settings=[sampler, steps, seed, samples, white, crispness,
                          interval])


def refuse_urls(component: gr.components.Component) -> None:
    """Refuse URLs in place of files; Gradio would download them."""
    move = component.async_move_resource_to_block_cache

    async def move_file(path: str) -> str:
        if not Path(path).is_file():
            raise gr.Error('the photo must be an uploaded file.',
                           print_exception=False)
        return await move(path)

    component.async_move_resource_to_block_cache = move_file


def build_outputs() -> dict:
    """Create the output components."""
    result = gr.HTML(view.EMPTY, elem_id='view')
    download = gr.DownloadButton('Download the result (PNG)',
                                 interactive=False)
    spread = gr.Image(
        label='Uncertainty of the model', elem_id='spread', visible=False,
        interactive=False, format='png', buttons=['download', 'fullscreen'])
    width = gr.Image(
        label='Width of the interval', visible=False, interactive=False,
        format='png', buttons=['download', 'fullscreen'])
    rows = dict(height='auto', visible=False, interactive=False)
    draws = gr.Gallery(label='Results', columns=4,
                       buttons=['download', 'fullscreen'], **rows)
    states = gr.Gallery(label='Intermediate states', columns=3,
                        buttons=[], **rows)
    return dict(result=result, more=[download, spread, draws, states, width])


def connect(page: gr.Blocks, service: RestorationService, inputs: dict,
            outputs: dict, start: gr.Button, stop: gr.Button) -> None:
    """Connect the components with the handlers."""
    photo, examples, model = (inputs[key] for key in (
        'photo', 'examples', 'model'))
    quiet = dict(PRIVATE, show_progress='hidden')
    page.load(service.show_examples, model, examples, **quiet)
    model.change(service.show_examples, model, examples, **quiet)
    examples.select(service.select_example, model,
                    [photo, outputs['result']], **quiet)
    white = inputs['white']
    gr.on([photo.upload, photo.clear, white.submit], service.preview,
          [photo, white], outputs['result'], **quiet)
    start.click(service.restore, [photo, model, *inputs['settings']],
                [outputs['result'], *outputs['more']],
                show_progress='minimal', **PRIVATE)
    # must not wait in the queue
    stop.click(service.stop, queue=False, **quiet)
    page.unload(service.stop)
