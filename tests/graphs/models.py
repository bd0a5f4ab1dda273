"""Tiny models, and ONNX files made by hand."""
import json
from pathlib import Path
from typing import Optional

import onnx
import torch
from irsde_mm.graphs.spec import GraphSpec
from irsde_mm.inference.components import build
from irsde_mm.model_files.exported import write_exported
from onnx import TensorProto, helper

NAFNET = dict(type='irsde_mm.ConditionalNAFNet', width=4, enc_blocks=[1],
              middle_blocks=1, dec_blocks=[1])
UNET = dict(type='irsde_mm.ConditionalUNet', base_channels=4, depth=2)
CLEAN = dict(type='irsde_mm.CleanOutput', residual=True)


def write_model(path: Path, network: dict = NAFNET, *,
                sde: Optional[dict] = None, sampler=None,
                output: dict = CLEAN, initial: Optional[dict] = None,
                **settings) -> Path:
    """Write an exported file with random weights."""
    settings.update(
        network=network, initial=initial, output=output,
        sde=sde or dict(type='irsde_mm.IRSDE', max_sigma=0.1),
        sampler=sampler or dict(type='irsde_mm.JumpSampler', num_steps=2,
                                eta=0.7))
    torch.manual_seed(0)
    networks = torch.nn.ModuleDict(dict(generator=build(network)))
    if initial:
        networks['initial'] = build(initial)
    with torch.no_grad():  # new layers are the identity
        for weight in networks.parameters():
            weight.add_(torch.randn_like(weight), alpha=0.05)
    write_exported(path, networks.state_dict(), dict(
        title='tiny', licence='CC0-1.0', source='',
        pipeline=json.dumps(settings)))
    return path


def write_identity(path: Path, spec: Optional[GraphSpec] = None,
                   **changes) -> Path:
    """Write an ONNX file that adds the first noise / 10 to the image, or
    nothing if the graph draws none.

    Args:
        spec (GraphSpec, optional): Its description; None for a file without.
        **changes: Other values of metadata.
    """
    image, noise, out = (helper.make_tensor_value_info(
        name, TensorProto.FLOAT, [None] * rank)
        for name, rank in (('image', 4), ('noise', 5), ('restored', 4)))
    tensors = dict(tenth=(TensorProto.FLOAT, [], [0.1]),
                   zero=(TensorProto.INT64, [], [0]),
                   low=(TensorProto.FLOAT, [], [0.]),
                   high=(TensorProto.FLOAT, [], [1.]))
    nodes = [helper.make_node('Gather', ['noise', 'zero'], ['first']),
             helper.make_node('Mul', ['first', 'tenth'], ['small']),
             helper.make_node('Add', ['image', 'small'], ['sum']),
             helper.make_node('Clip', ['sum', 'low', 'high'], ['restored'])]
    inputs = [image, noise]
    if spec is not None and not spec.draws:
        nodes = [helper.make_node('Identity', ['image'], ['restored'])]
        tensors, inputs = {}, [image]
    model = helper.make_model(
        helper.make_graph(nodes, 'identity', inputs, [out], [
            helper.make_tensor(name, *value)
            for name, value in tensors.items()]),
        opset_imports=[helper.make_opsetid('', 18)], ir_version=10)
    if spec is not None:
        helper.set_model_props(model, dict(spec.metadata(), **changes))
    onnx.save(model, path)
    return path


def spec_of(**changes) -> GraphSpec:
    values = dict(channels=3, scale=1, draws=1, calls=1, seed=0,
                  bytes_per_pixel=100., texts=dict(title='identity'))
    return GraphSpec(**dict(values, **changes))
