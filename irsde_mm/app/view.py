"""HTML of the page: photos, and a slider between two of them."""
import base64
import io
from html import escape
from typing import Optional

import numpy as np
from PIL import Image

#: Longest side of images on the page and in galleries; downloads keep their
#: size.
SHOWN, THUMB = 1600, 320

CSS = """
footer {display: none !important}
.grid-wrap {min-height: 0 !important}
.grid-container {grid-auto-rows: auto !important;
  grid-template-columns: repeat(var(--grid-cols), minmax(0, 1fr)) !important}
#spread img {padding-top: 2.5em}
.show {margin: 0 auto; width: min(100%, calc(75vh * var(--ratio)))}
.show figcaption {padding: .6em .2em; font-size: 1rem}
.show progress {width: 100%; height: .8em;
  accent-color: var(--color-accent)}
.pair {position: relative; aspect-ratio: var(--ratio); overflow: hidden}
.pair img {position: absolute; inset: 0; width: 100%; height: 100%; margin: 0}
.pair .before {clip-path: inset(0 calc(100% - var(--cut)) 0 0)}
.pair i {position: absolute; top: 0; bottom: 0; left: var(--cut); width: 3px;
  margin-left: -1.5px; background: #fff; box-shadow: 0 0 4px #000}
.pair b {position: absolute; bottom: .5em; padding: .1em .5em; color: #fff;
  background: #000a; border-radius: .3em; font-size: .9rem}
.pair b.left {left: .5em} .pair b.right {right: .5em}
.pair input {position: absolute; inset: 0; width: 100%; height: 100%;
  margin: 0; opacity: 0; cursor: ew-resize; touch-action: pan-y}
.pair:focus-within {outline: 3px solid var(--color-accent)}
"""
EMPTY = '<p>The photo will appear here.</p>'


def to_picture(pixels: np.ndarray, side: int = SHOWN) -> Image.Image:
    """Convert (H, W, 3) uint8 BGR or (H, W, 1) to an image of limited size.

    Args:
        pixels (ndarray): The pixels.
        side (int): Maximum length of the longer side.
    """
    pixels = pixels[..., 0] if pixels.shape[2] == 1 else pixels[..., ::-1]
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((side, side))
    return picture


def data_url(pixels: np.ndarray) -> str:
    """Encode an image as a data URL, which needs no file on the server."""
    file = io.BytesIO()
    to_picture(pixels).save(file, 'JPEG', quality=90)
    text = base64.b64encode(file.getvalue()).decode()
    return f'data:image/jpeg;base64,{text}'


def figure(pixels: np.ndarray, content: str, caption: str) -> str:
    """Return a figure with the aspect ratio of an image."""
    height, width = pixels.shape[:2]
    return (f'<figure class="show" style="--ratio: {width / height:.4f}">'
            f'<div class="pair">{content}</div>'
            f'<figcaption>{caption}</figcaption></figure>')


def photo(pixels: np.ndarray, caption: str,
          progress: Optional[float] = None) -> str:
    """Return a photo with a caption.

    Args:
        pixels (ndarray): The photo, (H, W, C) uint8 BGR.
        caption (str): Text below the photo.
        progress (float, optional): Progress bar below the caption, 0..1.
    """
    caption = escape(caption)
    if progress is not None:
        caption = f'{caption}<progress value="{progress:.3f}"></progress>'
    return figure(pixels, f'<img alt="the photo" src="{data_url(pixels)}">',
                  caption)


def slider(before: np.ndarray, after: np.ndarray, caption: str) -> str:
    """Return two photos on top of each other with a slider between them.

    The slider is a range input, which works with mouse, touch and keyboard.
    """
    return figure(after, (
        f'<img alt="after" src="{data_url(after)}">'
        f'<img alt="before" class="before" src="{data_url(before)}"><i></i>'
        '<b class="left">before</b><b class="right">after</b>'
        '<input type="range" min="0" max="100" value="50" step="0.5" '
        'aria-label="position of the divider between before and after" '
        "oninput=\"this.parentNode.style.setProperty('--cut', "
        "this.value + '%')\">"), escape(caption)).replace(
            'class="pair"', 'class="pair" style="--cut: 50%"')
