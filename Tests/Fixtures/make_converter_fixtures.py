#!/usr/bin/env python3
"""Makes one small model and what TensorFlow Lite's converter makes of it.

    pip install tensorflow-cpu numpy
    python3 Tests/Fixtures/make_converter_fixtures.py

converter_f32.tflite is without optimization, converter_default.tflite with Optimize.DEFAULT,
converter_float16.tflite with float16 as supported type.
"""

import os
import pathlib

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import numpy as np
import tensorflow as tf

FOLDER = pathlib.Path(__file__).parent / "quantizer"


class Network(tf.Module):
    def __init__(self):
        random = np.random.default_rng(1)
        first = random.normal(size=(32, 32)).astype(np.float32)  # 1024 elements: quantized
        first[:, 3] = 0
        first[:, 5] = 1e-20
        self.first = tf.Variable(first)
        self.small = tf.Variable(random.normal(size=(32, 31)).astype(np.float32))  # 992: not
        self.kernel = tf.Variable(random.normal(size=(1, 3, 31, 128)).astype(np.float32))
        self.bias = tf.Variable(random.normal(size=(128,)).astype(np.float32))
        self.depthwise = tf.Variable(random.normal(size=(3, 3, 128, 1)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec([1, 1, 24, 32], tf.float32)])
    def run(self, x):
        y = tf.nn.relu(tf.matmul(x, self.first))
        y = tf.matmul(y, self.small)
        y = tf.nn.conv2d(y, self.kernel, 1, "SAME") + self.bias
        return tf.nn.depthwise_conv2d(y, self.depthwise, (1, 1, 1, 1), "SAME")


def convert(network, name, optimize, types=()):
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [network.run.get_concrete_function()], network)
    if optimize:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = list(types)
    (FOLDER / f"converter_{name}.tflite").write_bytes(converter.convert())


if __name__ == "__main__":
    network = Network()
    convert(network, "f32", False)
    convert(network, "default", True)
    convert(network, "float16", True, [tf.float16])
