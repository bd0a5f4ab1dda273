"""Writing a restorer as an ONNX model in which each network occurs once."""
import logging
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Optional, Tuple

import torch
from torch import Tensor, nn
from torch.export import Dim

from .module import RestorationGraph

#: Domain of the functions of a file, and of the operator that stands for
#: them during the export.
DOMAIN = 'irsde_mm'
OPSET = 18
LIBRARY = torch.library.Library(DOMAIN, 'DEF')
LIBRARY.define('features(Tensor x, Tensor time, str name, int channels)'
               ' -> Tensor')


@torch.library.register_fake(f'{DOMAIN}::features')
def _features(x: Tensor, time: Tensor, name: str, channels: int) -> Tensor:
    return x.new_empty(x.shape[0], channels, *x.shape[2:])


def call_function(name: str, x: Tensor, time: Tensor,
                  channels: int) -> Tensor:
    """Call a network as an operator that is exported as a function."""
    return torch.ops.irsde_mm.features(x, time, name, channels)


def write_call(x: Any, time: Any, name: str, channels: int) -> Any:
    """Write the operator as a call of the function ``name``."""
    from onnx.defs import OpSchema
    from onnxscript.values import Op, Opset
    image, embedding, out = (OpSchema.FormalParameter(key, 'T')
                             for key in ('x', 'time', 'out'))
    schema = OpSchema(name, DOMAIN, 1, inputs=[image, embedding],
                      outputs=[out],
                      type_constraints=[('T', ['tensor(float)'], '')])
    return Op(Opset(DOMAIN, 1), name, schema)(x, time)


class FeatureNetwork(nn.Module):
    """The padded part of a network, with embedded times.

    Args:
        network (ProcessNetwork): The network.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        return self.network.features(x, time)


def to_onnx(graph: RestorationGraph, inputs: Dict[str, Tensor],
            shapes: Optional[Dict[str, dict]],
            networks: Dict[str, nn.Module]) -> Any:
    """Convert a restorer to an ONNX model.

    The sampling loop is unrolled and calls each network as a function of the
    model. A function has no weights of its own, so it gets them as inputs.

    Args:
        graph (RestorationGraph): Built with ``features=call_function``.
        inputs (dict): Examples of the inputs, by name.
        shapes (dict, optional): Dynamic shapes by input; None for the sizes
            of the examples.
        networks (dict[str, ProcessNetwork]): Networks by function name.

    Returns:
        onnx.ModelProto
    """
    model = exported(graph, tuple(inputs.values()), shapes, list(inputs),
                     'restored', {torch.ops.irsde_mm.features.default:
                                  write_call})
    size = None if shapes else tuple(
        graph.pipeline.upscale * side for side in inputs['image'].shape[-2:])
    for name, network in networks.items():
        add_function(model, name, function_of(network, size))
    return model


def function_of(network: nn.Module,
                size: Optional[Tuple[int, int]]) -> Any:
    """Export the padded part of a network for images of a size, or any."""
    d = network.divisor
    mu = torch.zeros(1, network.in_channels, *(size or (3 * d, 4 * d)))
    x = network.padded_input(mu, mu)
    with torch.no_grad():
        time = network.embed_time(0, x)
    shapes = None if size else dict(
        x={2: d * Dim('rows', max=2**20), 3: d * Dim('columns', max=2**20)},
        time=None)
    return exported(FeatureNetwork(network).eval(), (x, time), shapes,
                    ['x', 'time'], 'out')


def exported(module: nn.Module, args: tuple, shapes: Optional[dict],
             names: List[str], output: str,
             table: Optional[dict] = None) -> Any:
    """Export a module to an ONNX model without traces of its source."""
    with quiet(), torch.no_grad():
        program = torch.onnx.export(
            module, args, dynamo=True, dynamic_shapes=shapes,
            input_names=names, output_names=[output], opset_version=OPSET,
            custom_translation_table=table, verbose=False)
    model = program.model_proto
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ''
    del model.graph.value_info[:]
    del model.metadata_props[:]
    return model


def add_function(model: Any, name: str, network: Any) -> None:
    """Add an exported network to a model as a function.

    Args:
        model (onnx.ModelProto): The model, which calls the function.
        name (str): Name of the function.
        network (onnx.ModelProto): The network; its initializers become
            initializers of the model.
    """
    from onnx import helper
    weights = [w.name for w in network.graph.initializer]
    function = helper.make_function(
        DOMAIN, name, [i.name for i in network.graph.input] + weights,
        [o.name for o in network.graph.output], network.graph.node,
        network.opset_import)
    model.functions.append(function)
    for weight in network.graph.initializer:
        weight.name = f'{name}.{weight.name}'
        model.graph.initializer.append(weight)
    for node in model.graph.node:
        if node.domain == DOMAIN and node.op_type == name:
            node.input.extend(f'{name}.{w}' for w in weights)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the messages of the exporter about its optimizations."""
    loggers = [logging.getLogger(name) for name in (
        'onnxscript', 'onnx_ir', 'torch.onnx')]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        yield
    finally:
        for logger, level in zip(loggers, levels):
            logger.setLevel(level)


def halve_weights(model: Any) -> None:
    """Store the weights of the functions in float16, cast when loaded.

    Weights beyond the range of float16 are kept.
    """
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper
    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or '.' not in weight.name:
            continue
        with np.errstate(over='ignore'):
            half = values.astype(np.float16)
        if np.isfinite(half).all():
            name = f'{weight.name}.half'
            casts.append(helper.make_node('Cast', [name], [weight.name],
                                          to=TensorProto.FLOAT))
            weight.CopyFrom(numpy_helper.from_array(half, name))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
