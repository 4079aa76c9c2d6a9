"""Networks made with TensorFlow, in every quantization that its converter has."""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import numpy as np
import tensorflow as tf

keras = tf.keras
layers = keras.layers

MODES = ("f32", "f16", "dynamic", "int8", "int8_io", "uint8_io", "16x8")


def small_mobile():
    """A first convolution, two separable blocks, one of them with a sum, a pool and a classifier."""
    x = first = keras.Input((16, 16, 3), batch_size=1)
    x = layers.Conv2D(8, 3, 2, "same", use_bias=False)(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    y = layers.Conv2D(24, 1)(x)
    y = layers.ReLU(6.0)(y)
    y = layers.DepthwiseConv2D(3, 1, "same")(y)
    y = layers.ReLU(6.0)(y)
    x = layers.Add()([x, layers.Conv2D(8, 1)(y)])
    y = layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    y = layers.DepthwiseConv2D(3, 2, "valid")(y)
    y = layers.Conv2D(16, 1, activation="relu")(y)
    y = layers.GlobalAveragePooling2D()(y)
    return keras.Model(first, layers.Dense(10)(y))


def small_mixed():
    """Pools, concatenation, sigmoid, tanh, products, a transposition and a softmax."""
    x = first = keras.Input((8, 12, 6), batch_size=1)
    a = layers.MaxPooling2D(2)(layers.Conv2D(8, 3, padding="same", activation="relu")(x))
    b = layers.AveragePooling2D(2)(layers.Conv2D(8, (1, 3), padding="same")(x))
    gate = layers.Activation("sigmoid")(b)
    c = layers.Multiply()([gate, layers.Activation("tanh")(a)])
    d = layers.Concatenate()([a, c, b])
    d = layers.Conv2D(4, 3, 2, dilation_rate=1)(d)
    d = layers.Permute((2, 1, 3))(d)
    d = layers.LeakyReLU(0.2)(d)
    e = layers.Flatten()(d)
    e = layers.Subtract()([layers.Dense(12)(e), layers.Dense(12)(e)])
    return keras.Model(first, layers.Softmax()(layers.Dense(5)(e)))


def small_attention():
    """A product of two computed matrices, both ways of resizing, and a mean."""
    x = first = keras.Input((6, 8, 12), batch_size=1)
    a = layers.UpSampling2D(2, interpolation="bilinear")(layers.Conv2D(8, 3, padding="same")(x))
    b = layers.Resizing(12, 16, interpolation="nearest")(layers.Conv2D(8, 1)(x))
    y = layers.Conv2D(10, 1)(layers.Concatenate()([a, b]))
    y = layers.Reshape((192, 10))(y)
    q, k, v = (layers.Dense(12)(y) for _ in range(3))
    y = layers.Attention(use_scale=False)([q, v, k])
    return keras.Model(first, layers.Dense(6)(y))


def fully_connected():
    x = first = keras.Input((40,), batch_size=1)
    for _ in range(3):
        x = layers.Dense(48, activation="relu")(x)
    return keras.Model(first, layers.Dense(20)(x))


def masks():
    """The size of a denoiser's layers: 257 to 256, four times, and masks."""
    x = first = keras.Input((257,), batch_size=1)
    for _ in range(4):
        x = layers.Dense(256, activation="relu")(x)
    return keras.Model(first, layers.Dense(257, activation="sigmoid")(x))


def streaming_gru():
    """One step of a recurrent cell of 128 units made of dense layers; its state goes in and out."""
    x = keras.Input((96,), batch_size=1, name="input")
    h = keras.Input((128,), batch_size=1, name="state")
    a, b = layers.Dense(384)(x), layers.Dense(384)(h)
    gates = layers.Activation("sigmoid")(layers.Add()([a[:, :256], b[:, :256]]))
    z, r = gates[:, :128], gates[:, 128:]
    new = layers.Activation("tanh")(layers.Add()([a[:, 256:], layers.Multiply()([r, b[:, 256:]])]))
    kept = layers.Multiply()([z, layers.Subtract()([h, new])])
    state = layers.Add()([new, kept])
    return keras.Model([x, h], [layers.Dense(96, activation="sigmoid")(state), state])


def spectrogram():
    """3x3 convolutions over eight hops of 64 bands."""
    x = first = keras.Input((8, 64, 16), batch_size=1)
    for _ in range(3):
        y = layers.Conv2D(64, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(y))
    return keras.Model(first, layers.Conv2D(2, 1)(x))


def recurrent(make, times=6, features=40):
    """A recurrent layer over a sequence and a dense one; WHILE in the file, unless it is unrolled."""
    def model():
        x = first = keras.Input((times, features), batch_size=1)
        return keras.Model(first, layers.Dense(20)(make()(x)))
    return model


def normalized(x, groups=8):
    """Group normalization over the image, made of what converters know."""
    _, h, w, c = x.shape
    y = layers.Reshape((h * w, groups, c // groups))(x)
    mean = keras.ops.mean(y, axis=(1, 3), keepdims=True)
    variance = keras.ops.mean(keras.ops.square(y - mean), axis=(1, 3), keepdims=True)
    y = (y - mean) * keras.ops.rsqrt(variance + 1e-5)
    return layers.Reshape((h, w, c))(y)


def swish(x):
    return layers.Multiply()([x, layers.Activation("sigmoid")(x)])


def residual(x, time, channels):
    y = layers.Conv2D(channels, 3, padding="same")(swish(normalized(x)))
    y = layers.Add()([y, layers.Reshape((1, 1, channels))(layers.Dense(channels)(time))])
    y = layers.Conv2D(channels, 3, padding="same")(swish(normalized(y)))
    if x.shape[-1] != channels:
        x = layers.Conv2D(channels, 1)(x)
    return layers.Add()([x, y])


def attention(x, heads=4):
    _, h, w, c = x.shape
    y = layers.Reshape((h * w, c))(normalized(x))
    q, k, v = (layers.Permute((2, 1, 3))(layers.Reshape((h * w, heads, c // heads))(
        layers.Dense(c)(y))) for _ in range(3))
    scores = keras.ops.matmul(q, keras.ops.transpose(k, (0, 1, 3, 2))) * (c // heads) ** -0.5
    y = keras.ops.matmul(layers.Softmax()(scores), v)
    y = layers.Reshape((h * w, c))(layers.Permute((2, 1, 3))(y))
    return layers.Add()([x, layers.Reshape((h, w, c))(layers.Dense(c)(y))])


def diffusion_block():
    """A U-Net of one step down and up, as diffusion models have them: residual blocks that take in
    the time, group normalization, attention in the middle, and a way around."""
    image = keras.Input((16, 16, 4), batch_size=1, name="image")
    step = keras.Input((64,), batch_size=1, name="time")
    time = layers.Dense(64)(swish(layers.Dense(64)(step)))
    x = layers.Conv2D(32, 3, padding="same")(image)
    around = x = residual(x, time, 32)
    x = layers.Conv2D(64, 3, 2, "same")(x)
    x = residual(attention(residual(x, time, 64)), time, 64)
    x = layers.Conv2D(32, 3, padding="same")(layers.UpSampling2D(2)(x))
    x = residual(layers.Concatenate()([x, around]), time, 32)
    return keras.Model([image, step], layers.Conv2D(4, 3, padding="same")(swish(normalized(x))))


def deeplab_v3():
    """MobileNet v2 with an output stride of 16, pooling at several rates, and the image's size."""
    base = keras.applications.MobileNetV2(
        weights=None, include_top=False, input_tensor=keras.Input((129, 129, 3), batch_size=1))
    x = base.get_layer("block_13_expand_relu").output
    x = layers.Conv2D(320, 1, activation="relu")(x)

    def bound(y):
        return layers.ReLU()(layers.BatchNormalization()(y))

    branches = [bound(layers.Conv2D(64, 1, use_bias=False)(x))]
    for rate in (2, 4, 6):
        branches.append(bound(layers.Conv2D(
            64, 3, padding="same", dilation_rate=rate, use_bias=False)(x)))
    pooled = layers.GlobalAveragePooling2D(keepdims=True)(x)
    pooled = bound(layers.Conv2D(64, 1, use_bias=False)(pooled))
    branches.append(layers.Resizing(*x.shape[1:3], interpolation="bilinear")(pooled))
    x = bound(layers.Conv2D(64, 1, use_bias=False)(layers.Concatenate()(branches)))
    x = layers.Conv2D(21, 1)(x)
    return keras.Model(base.input, layers.Resizing(129, 129, interpolation="bilinear")(x))


def dtln():
    """One step of a stage of DTLN: two cells of 128 made of dense layers, and a mask."""
    x = keras.Input((257,), batch_size=1, name="input")
    states = [keras.Input((128,), batch_size=1, name=name) for name in ("h0", "c0", "h1", "c1")]
    y, results = x, []
    for h, c in (states[:2], states[2:]):
        whole = layers.Add()([layers.Dense(512)(y), layers.Dense(512, use_bias=False)(h)])
        i, f, g, o = (whole[:, 128 * k:128 * k + 128] for k in range(4))
        i, f, o = (layers.Activation("sigmoid")(v) for v in (i, f, o))
        c = layers.Add()([layers.Multiply()([f, c]),
                          layers.Multiply()([i, layers.Activation("tanh")(g)])])
        y = layers.Multiply()([o, layers.Activation("tanh")(c)])
        results += [y, c]
    return keras.Model([x, *states], [layers.Dense(257, activation="sigmoid")(y), *results])


def application(make, size, **options):
    return lambda: make(weights=None, input_tensor=keras.Input((size, size, 3), batch_size=1),
                        classes=100, classifier_activation=None, **options)


SMALL = {"small_mobile": small_mobile, "small_mixed": small_mixed, "small_fc": fully_connected,
         "small_attention": small_attention}

MIDDLE = {"masks": masks, "streaming_gru": streaming_gru, "spectrogram": spectrogram}

RECURRENT = {
    "dtln": dtln,
    "lstm_loop": recurrent(lambda: layers.LSTM(64, return_sequences=True)),
    "lstm_unrolled": recurrent(lambda: layers.LSTM(64, return_sequences=True, unroll=True), 3),
    "gru_loop": recurrent(lambda: layers.GRU(64, return_sequences=True)),
    "gru_reset_first": recurrent(
        lambda: layers.GRU(64, return_sequences=True, reset_after=False)),
    "bidirectional": recurrent(lambda: layers.Bidirectional(
        layers.LSTM(32, return_sequences=True))),
    "lstm_stateful": recurrent(lambda: layers.LSTM(64, stateful=True), 2),
}


def large(divisor=1):
    """Networks of keras.applications for the images they were made for, or for smaller ones, which
    have the same layers."""
    kinds = {
        "mobilenet_v1": (keras.applications.MobileNet, 224, {}),
        "mobilenet_v2": (keras.applications.MobileNetV2, 224, {}),
        "efficientnet_v2_b0": (keras.applications.EfficientNetV2B0, 224,
                               {"include_preprocessing": False}),
        "inception_v3": (keras.applications.InceptionV3, 299, {}),
        "resnet_v2_101": (keras.applications.ResNet101V2, 224, {}),
    }
    named = {name if divisor == 1 else f"{name}_{size // divisor}":
             application(make, size // divisor, **options)
             for name, (make, size, options) in kinds.items()}
    return {**named, "diffusion_block": diffusion_block, "deeplab_v3": deeplab_v3}


LARGE = large()

# Loops in the file: TensorFlow's converter crashes where it calibrates them.
LOOPS = ("lstm_loop", "gru_loop", "gru_reset_first", "bidirectional", "lstm_stateful")


def modes_of(name):
    """The quantizations that a network is converted in. What int8 and uint8 do at the edges the
    smaller networks show."""
    if name in LOOPS:
        return MODES[:3]
    is_large = any(name.startswith(kind) for kind in LARGE)
    return [mode for mode in MODES if not (is_large and mode.endswith("_io"))]


def build(make):
    """The model with random weights whose activations neither vanish nor explode."""
    keras.utils.set_random_seed(1)
    model = make()
    random = np.random.default_rng(2)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            *gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights([*(random.uniform(0.6, 1.4, g.shape) for g in gamma),
                               random.normal(0, 0.3, beta.shape), mean, variance])
        elif hasattr(layer, "kernel") and layer.weights and getattr(layer, "use_bias", False):
            *kernel, bias = layer.get_weights()
            layer.set_weights([*kernel, random.normal(0, 0.2, bias.shape)])
    # What training would have made of the batch statistics.
    if isinstance(model.input_shape, list):
        return model
    data = random.normal(size=[4] + list(model.input_shape[1:])).astype(np.float32)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            before = keras.Model(model.inputs, layer.input)
            values = np.concatenate([before(data[i:i + 1]) for i in range(len(data))])
            *gamma, beta, _, _ = layer.get_weights()
            axes = tuple(range(values.ndim - 1))
            layer.set_weights([*gamma, beta, values.mean(axes), values.var(axes) + 1e-3])
    return model


def samples(model, count, seed=3):
    """Inputs in a list, or by name where there are several."""
    random = np.random.default_rng(seed)
    names = [tensor.name for tensor in model.inputs]
    shapes = [[1] + list(tensor.shape[1:]) for tensor in model.inputs]
    for _ in range(count):
        values = [random.normal(size=shape).astype(np.float32) for shape in shapes]
        yield values if len(values) == 1 else dict(zip(names, values))


def convert(model, mode, calibration=8):
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if mode != "f32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if mode == "f16":
        converter.target_spec.supported_types = [tf.float16]
    if mode in ("int8", "int8_io", "uint8_io", "16x8"):
        converter.representative_dataset = lambda: samples(model, calibration, seed=4)
    if mode in ("int8_io", "uint8_io"):
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        kind = tf.int8 if mode == "int8_io" else tf.uint8
        converter.inference_input_type = converter.inference_output_type = kind
    if mode == "16x8":
        converter.target_spec.supported_ops = [
            tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]
    return converter.convert()
