"""ONNX graphs, run by onnxruntime without torch."""
from pathlib import Path
from typing import Dict

import numpy as np

from ..errors import CheckpointError, missing_package
from .runner import GraphRunner
from .spec import read_spec


class OnnxRunner(GraphRunner):
    """Graph in an ONNX file.

    Args:
        path (str): The file.
        threads (int): Number of threads; 0 for one per core.

    Raises:
        CheckpointError: If the file is missing, broken, or not written by
            ``irsde export``.
        ConfigError: If onnxruntime is not installed.
    """

    def __init__(self, path: str, threads: int = 0) -> None:
        if not Path(path).is_file():
            raise CheckpointError(f"no model found at '{path}'.")
        try:
            import onnxruntime
        except ImportError as error:
            raise missing_package(error) or error from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # errors are raised, not only logged
        options.intra_op_num_threads = threads
        try:
            self.session = onnxruntime.InferenceSession(
                path, options, providers=['CPUExecutionProvider'])
        except Exception as error:  # one class per status, without a base
            reason = ' '.join(str(error).split())[:150]
            raise CheckpointError(f"'{path}' is not an ONNX model that "
                                  f'onnxruntime can load: {reason}'
                                  ) from error
        metadata = self.session.get_modelmeta().custom_metadata_map
        self.spec = read_spec(path, metadata)
        found = {item.name for item in self.session.get_inputs()}
        if found != {'image', *(['noise'] if self.spec.draws else [])}:
            raise CheckpointError(f"'{path}' has the inputs "
                                  f'{", ".join(sorted(found))}, which its '
                                  'description does not have: export it '
                                  'again.')

    def run(self, inputs: Dict[str, np.ndarray]) -> np.ndarray:
        try:
            return self.session.run(['restored'], inputs)[0]
        except Exception as error:
            # onnxruntime has no class for it
            if 'llocate' in str(error) or 'bad_alloc' in str(error):
                raise MemoryError from error
            raise
