"""Restore an image with a file of irsde export, without irsde_mm and torch:
python run_onnx.py derain.onnx degraded.npy restored.npy [SEED]"""
import json
import sys

import numpy as np
import onnxruntime

model, source, target, *seed = sys.argv[1:]
session = onnxruntime.InferenceSession(model)
graph = json.loads(session.get_modelmeta().custom_metadata_map['graph'])
image = np.load(source)  # (H, W, 3) uint8 RGB
inputs = dict(image=image.transpose(2, 0, 1)[None].astype('float32') / 255)
if graph['draws']:
    size = [graph['scale'] * side for side in image.shape[:2]]
    shape = graph['draws'], 1, graph['channels'], *size
    inputs['noise'] = np.random.default_rng(
        int(seed[0]) if seed else 0).standard_normal(shape, 'float32')
restored = session.run(['restored'], inputs)[0][0].transpose(1, 2, 0)
np.save(target, np.rint(restored * 255).astype('uint8'))
