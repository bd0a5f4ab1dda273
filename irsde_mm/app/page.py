"""Layout of the page."""
from pathlib import Path

import gradio as gr

from ..inference.presets import PRESETS, SAMPLERS
from . import view
from .desk import MOST_SAMPLES, OWN, STATES, Desk

#: Most visitors in the queue; seconds between sweeps for old files, and from
#: which age on files are old.
WAITING, SWEEP, OLD = 8, 600, 3600
MAX_SEED = 2**32 - 1
FONT, MONO = ([gr.themes.Font(name) for name in names] for names in (
    ('system-ui', 'sans-serif'), ('ui-monospace', 'monospace')))


def build_page(desk: Desk) -> gr.Blocks:
    """The page of a desk.

    Nothing on it is loaded from elsewhere: fonts are the system's, and there
    are no analytics.

    Args:
        desk (Desk): The handlers.

    Returns:
        gradio.Blocks: One restoration runs at a time, a few wait.
    """
    theme = gr.themes.Default(font=FONT, font_mono=MONO).set(
        block_info_text_color='*neutral_600',
        block_info_text_color_dark='*neutral_300')
    with gr.Blocks(theme=theme, css=view.CSS, title='Restore a photo',
                   analytics_enabled=False,
                   delete_cache=(SWEEP, OLD)) as page:
        gr.Markdown('# Restore a photo\nMean-reverting diffusion leads from '
                    'the photo back to a clean one.')
        with gr.Row():
            with gr.Column(scale=2, min_width=300):
                inputs = controls(desk)
                with gr.Row():
                    start = gr.Button('Restore', variant='primary')
                    stop = gr.Button('Stop', variant='stop')
            with gr.Column(scale=3, min_width=300):
                outputs = shown()
        connect(page, desk, inputs, outputs, start, stop)
    return page.queue(max_size=WAITING, default_concurrency_limit=1,
                      api_open=False)


def controls(desk: Desk) -> dict:
    """The inputs of the page."""
    names = list(desk.models)
    photo = gr.File(label='Photo', file_types=['image'], height=150)
    take_files_only(photo)
    examples = gr.Gallery(
        label='Or an example', columns=3, height='auto', visible=False,
        allow_preview=False, interactive=False)
    model = gr.Dropdown(names, value=names[0], label='Model',
                        info='what it undoes')
    with gr.Row():
        sampler = gr.Dropdown(
            [OWN, *PRESETS, *SAMPLERS], value=OWN, label='Sampler',
            info="default: the model's")
        steps = gr.Number(0, label='Steps', precision=0, minimum=0,
                          info="0: the sampler's")
    with gr.Row():
        seed = gr.Number(0, label='Seed', precision=0, minimum=0,
                         maximum=MAX_SEED,
                         info='another of the possible results')
        samples = gr.Slider(1, MOST_SAMPLES, 1, step=1, label='Results',
                            info='several show where the model guesses')
    white = gr.Number(0, label='White level', precision=0, minimum=0,
                      info='of 16-bit files, such as 4095 for 12-bit data; '
                      '0: 65535')
    return dict(photo=photo, examples=examples, model=model, white=white,
                settings=[sampler, steps, seed, samples, white])


def take_files_only(component: gr.components.Component) -> None:
    """Refuses web addresses in place of files, which Gradio would fetch."""
    move = component.async_move_resource_to_block_cache

    async def move_file(path: str) -> str:
        if not Path(path).is_file():
            raise gr.Error('a photo has to be uploaded.',
                           print_exception=False)
        return await move(path)

    component.async_move_resource_to_block_cache = move_file


def shown() -> dict:
    """The outputs of the page."""
    result = gr.HTML(view.EMPTY, elem_id='view')
    download = gr.DownloadButton('Download the result (PNG)',
                                 interactive=False)
    spread = gr.Image(
        label='Where the model guesses', elem_id='spread', visible=False,
        interactive=False, format='png')
    rows = dict(height='auto', visible=False, interactive=False)
    draws = gr.Gallery(label='Results', columns=4, **rows)
    states = gr.Gallery(label='The way there', columns=STATES,
                        show_download_button=False, **rows)
    return dict(result=result, more=[download, spread, draws, states])


def connect(page: gr.Blocks, desk: Desk, inputs: dict, outputs: dict,
            start: gr.Button, stop: gr.Button) -> None:
    """Connects the components with the handlers."""
    photo, examples, model = (inputs[key] for key in (
        'photo', 'examples', 'model'))
    quiet = dict(api_name=False, show_progress='hidden')
    page.load(desk.show_examples, model, examples, **quiet)
    model.change(desk.show_examples, model, examples, **quiet)
    examples.select(desk.take_example, model, [photo, outputs['result']],
                    **quiet)
    white = inputs['white']
    gr.on([photo.upload, photo.clear, white.submit], desk.look,
          [photo, white], outputs['result'], **quiet)
    start.click(desk.restore, [photo, model, *inputs['settings']],
                [outputs['result'], *outputs['more']], api_name=False,
                show_progress='minimal')
    # not behind those that wait
    stop.click(desk.stop, queue=False, **quiet)
    page.unload(desk.stop)
