"""Every module in training and in evaluation, forward and backward, against PyTorch's in float64."""

import numpy as np
import pytest

import minitorch

torch = pytest.importorskip("torch")

RNG = np.random.default_rng(5)


def real(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def probability(*shape):
    return RNG.uniform(0.1, 0.9, shape).astype(np.float32)


def whole(high, *shape):
    return RNG.integers(0, high, shape)


def signs(*shape):
    """Targets of floating point that want no gradient: told apart by their type here."""
    return np.where(RNG.random(shape) < 0.5, -1, 1).astype(np.int8)


IMAGE, VOLUME, LINE, ROWS = real(2, 4, 7, 6), real(2, 4, 5, 4, 6), real(2, 4, 9), real(5, 6)
UNRANDOM = {"AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout", "RReLU"}

# module, arguments, keywords, inputs
CASES = [
    *((name, (), {}, (IMAGE,)) for name in (
        "CELU", "ELU", "GELU", "GLU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "Identity", "LeakyReLU",
        "LogSigmoid", "Mish", "PReLU", "RReLU", "ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid", "Softplus", "Softshrink",
        "Softsign", "Tanh", "Tanhshrink", "Softmax2d", "Flatten", "Dropout", "Dropout2d", "AlphaDropout",
        "FeatureAlphaDropout")),
    ("Softmax", (1,), {}, (IMAGE,)), ("Softmin", (1,), {}, (IMAGE,)), ("LogSoftmax", (1,), {}, (IMAGE,)),
    ("GELU", (), {"approximate": "tanh"}, (IMAGE,)), ("PReLU", (4,), {}, (IMAGE,)),
    ("Threshold", (0.1, 20), {}, (IMAGE,)),
    ("Unflatten", (1, (2, 2)), {}, (IMAGE,)), ("Dropout1d", (), {}, (LINE,)), ("Dropout3d", (), {}, (VOLUME,)),
    ("Linear", (6, 3), {}, (IMAGE,)), ("Bilinear", (6, 4, 3), {}, (ROWS, real(5, 4))),
    ("Conv1d", (4, 6, 3), {"padding": 1, "stride": 2}, (LINE,)), ("Conv1d", (4, 6, 3), {"padding": "same"}, (LINE,)),
    ("Conv2d", (4, 6, 3), {"padding": 1, "groups": 2}, (IMAGE,)), ("Conv2d", (4, 6, 3), {"dilation": 2}, (IMAGE,)),
    ("Conv2d", (4, 6, 3), {"padding": 2, "padding_mode": "reflect"}, (IMAGE,)),
    ("Conv2d", (4, 6, 3), {"padding": 2, "padding_mode": "circular", "bias": False}, (IMAGE,)),
    ("Conv3d", (4, 6, 3), {"padding": 1, "stride": (1, 2, 1)}, (VOLUME,)),
    ("ConvTranspose1d", (4, 6, 3), {"stride": 2, "output_padding": 1}, (LINE,)),
    ("ConvTranspose2d", (4, 6, 3), {"stride": 2, "padding": 1, "groups": 2}, (IMAGE,)),
    ("ConvTranspose3d", (4, 6, 3), {"dilation": 2}, (VOLUME,)),
    ("MaxPool1d", (3,), {}, (LINE,)), ("MaxPool2d", (3, 2, 1), {}, (IMAGE,)), ("MaxPool3d", (2,), {}, (VOLUME,)),
    ("MaxPool2d", (3,), {"ceil_mode": True, "dilation": 2, "stride": 1}, (IMAGE,)),
    ("AvgPool1d", (3,), {}, (LINE,)), ("AvgPool2d", (3, 2, 1), {}, (IMAGE,)), ("AvgPool3d", (2,), {}, (VOLUME,)),
    ("AvgPool2d", (3, 2, 1), {"count_include_pad": False, "ceil_mode": True}, (IMAGE,)),
    ("LPPool1d", (2, 3), {}, (LINE,)), ("LPPool2d", (2, 3), {}, (IMAGE,)), ("LPPool3d", (2, 2), {}, (VOLUME,)),
    ("AdaptiveAvgPool1d", (4,), {}, (LINE,)), ("AdaptiveAvgPool2d", ((3, 4),), {}, (IMAGE,)),
    ("AdaptiveAvgPool3d", (3,), {}, (VOLUME,)), ("AdaptiveMaxPool1d", (4,), {}, (LINE,)),
    ("AdaptiveMaxPool2d", ((3, 4),), {}, (IMAGE,)), ("AdaptiveMaxPool3d", (3,), {}, (VOLUME,)),
    *((f"{kind}Pad{d}d", (1,), {}, (x,)) for kind in ("Constant", "Zero", "Reflection", "Replication", "Circular")
      for d, x in ((1, LINE), (2, IMAGE), (3, VOLUME)) if kind != "Constant"),
    ("ConstantPad1d", (1, 2.0), {}, (LINE,)), ("ConstantPad2d", (1, 2.0), {}, (IMAGE,)),
    ("ConstantPad3d", (1, 2.0), {}, (VOLUME,)),
    ("BatchNorm1d", (4,), {}, (LINE,)), ("BatchNorm2d", (4,), {}, (IMAGE,)), ("BatchNorm3d", (4,), {}, (VOLUME,)),
    ("BatchNorm2d", (4,), {"momentum": None, "affine": False}, (IMAGE,)),
    ("BatchNorm1d", (6,), {"track_running_stats": False}, (ROWS,)),
    ("InstanceNorm1d", (4,), {}, (LINE,)),
    ("InstanceNorm2d", (4,), {"affine": True, "track_running_stats": True}, (IMAGE,)),
    ("InstanceNorm3d", (4,), {}, (VOLUME,)), ("GroupNorm", (2, 4), {}, (IMAGE,)),
    ("LayerNorm", ((7, 6),), {}, (IMAGE,)),
    ("RMSNorm", (6,), {}, (IMAGE,)), ("LocalResponseNorm", (2,), {}, (IMAGE,)),
    ("RNN", (6, 5, 2), {"bidirectional": True, "nonlinearity": "relu"}, (real(4, 3, 6),)),
    ("LSTM", (6, 5, 2), {"bidirectional": True, "batch_first": True}, (real(3, 4, 6),)),
    ("LSTM", (6, 5), {"proj_size": 3}, (real(4, 3, 6),)), ("GRU", (6, 5, 2), {"bias": False}, (real(4, 3, 6),)),
    ("RNNCell", (6, 5), {}, (ROWS,)), ("LSTMCell", (6, 5), {}, (ROWS,)), ("GRUCell", (6, 5), {}, (ROWS, real(5, 5))),
    ("MultiheadAttention", (6, 2), {}, (real(4, 3, 6), real(5, 3, 6), real(5, 3, 6))),
    ("MultiheadAttention", (6, 2), {"kdim": 3, "vdim": 5, "batch_first": True, "add_bias_kv": True},
     (real(3, 4, 6), real(3, 5, 3), real(3, 5, 5))),
    ("TransformerEncoderLayer", (6, 2, 8), {"dropout": 0.0}, (real(4, 3, 6),)),
    ("TransformerEncoderLayer", (6, 2, 8), {"dropout": 0.0, "norm_first": True, "activation": "gelu"},
     (real(4, 3, 6),)),
    ("TransformerDecoderLayer", (6, 2, 8), {"dropout": 0.0}, (real(4, 3, 6), real(5, 3, 6))),
    ("Transformer", (6, 2, 1, 1, 8), {"dropout": 0.0}, (real(4, 3, 6), real(5, 3, 6))),
    ("Embedding", (7, 3), {"padding_idx": 2}, (whole(7, 4, 5),)),
    *(("EmbeddingBag", (7, 3), {"mode": mode}, (whole(7, 4, 5),)) for mode in ("sum", "mean", "max")),
    ("CosineSimilarity", (), {}, (ROWS, real(5, 6))), ("PairwiseDistance", (), {}, (ROWS, real(5, 6))),
    ("PixelShuffle", (2,), {}, (IMAGE,)), ("PixelUnshuffle", (2,), {}, (real(2, 4, 6, 8),)),
    ("ChannelShuffle", (2,), {}, (IMAGE,)), ("Fold", ((4, 5), 2), {}, (real(2, 8, 12),)),
    ("Unfold", (2,), {}, (IMAGE,)),
    ("UpsamplingNearest2d", (), {"scale_factor": 2}, (IMAGE,)),
    ("UpsamplingBilinear2d", (), {"scale_factor": 2}, (IMAGE,)),
    *(("Upsample", (), {"scale_factor": 1.5, "mode": mode}, (IMAGE,)) for mode in ("nearest", "bilinear", "bicubic")),
    ("Upsample", (), {"size": (4, 5, 3), "mode": "trilinear", "align_corners": True}, (VOLUME,)),
    # losses
    *((name, (), {"reduction": how}, (ROWS, real(5, 6))) for how in ("mean", "sum", "none")
      for name in ("L1Loss", "MSELoss", "SmoothL1Loss", "HuberLoss", "PoissonNLLLoss")),
    ("KLDivLoss", (), {"reduction": "batchmean"}, (ROWS, probability(5, 6))),
    ("BCELoss", (), {}, (probability(5, 6), probability(5, 6))),
    ("BCEWithLogitsLoss", (), {}, (ROWS, probability(5, 6))),
    ("CrossEntropyLoss", (), {"label_smoothing": 0.1, "ignore_index": 2}, (ROWS, whole(6, 5))),
    ("CrossEntropyLoss", (), {}, (ROWS, probability(5, 6))), ("NLLLoss", (), {}, (ROWS, whole(6, 5))),
    ("GaussianNLLLoss", (), {}, (ROWS, real(5, 6), probability(5, 6))), ("SoftMarginLoss", (), {}, (ROWS, signs(5, 6))),
    ("HingeEmbeddingLoss", (), {}, (ROWS, signs(5, 6))), ("MarginRankingLoss", (), {}, (real(5), real(5), signs(5))),
    ("CosineEmbeddingLoss", (), {}, (ROWS, real(5, 6), signs(5))), ("MultiMarginLoss", (), {}, (ROWS, whole(6, 5))),
    ("MultiLabelMarginLoss", (), {}, (ROWS, np.array([[1, 3, -1, 0, 0, 0]] * 5))),
    ("MultiLabelSoftMarginLoss", (), {}, (ROWS, whole(2, 5, 6).astype(np.float32))),
    ("TripletMarginLoss", (), {"swap": True}, (ROWS, real(5, 6), real(5, 6))),
    ("TripletMarginWithDistanceLoss", (), {}, (ROWS, real(5, 6), real(5, 6))),
    ("CTCLoss", (), {}, (real(8, 2, 5), 1 + whole(4, 2, 3), np.array([8, 7]), np.array([3, 2]))),
    ("AdaptiveLogSoftmaxWithLoss", (6, 9, [3, 6]), {}, (ROWS, whole(9, 5))),
]


def floating(x):
    return x.is_floating_point()


def tensors(result):
    """The floating tensors of a result, in order."""
    if isinstance(result, (tuple, list)):
        return [t for part in result for t in tensors(part)]
    return [result] if hasattr(result, "is_floating_point") and floating(result) else []


def run(T, module, inputs, dtype):
    """Outputs, gradients of inputs and parameters, and what the module keeps, as arrays."""
    given = [T.tensor(x) for x in inputs]
    given = [x.to(dtype).requires_grad_() if floating(x) else x.to(dtype) if x.dtype == T.int8 else x for x in given]
    outputs = tensors(module(*given))
    loss = sum((y * T.arange(1, y.numel() + 1, dtype=dtype).sin().reshape(y.shape)).sum() for y in outputs)
    if loss.requires_grad:
        loss.backward()
    found = {f"output {k}": y for k, y in enumerate(outputs)}
    found.update({f"gradient of input {k}": x.grad for k, x in enumerate(given) if x.requires_grad})
    found.update({f"gradient of {name}": p.grad for name, p in module.named_parameters()})
    found.update({name: b for name, b in module.named_buffers() if floating(b)})
    return {name: None if t is None else t.detach().numpy() for name, t in found.items()}


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize(("name", "args", "kwargs", "inputs"), CASES, ids=[f"{c[0]}-{k}" for k, c in enumerate(CASES)])
@pytest.mark.filterwarnings("ignore")
def test_in_both_modes(name, args, kwargs, inputs, training):
    if training and name in UNRANDOM:
        pytest.skip("random; see test_random_parity")
    torch.manual_seed(0)
    reference = getattr(torch.nn, name)(*args, **kwargs).double().train(training)
    minitorch.manual_seed(0)
    module = getattr(minitorch.nn, name)(*args, **kwargs).train(training)
    state = {key: minitorch.tensor(t.float().numpy() if floating(t) else t.numpy())
             for key, t in reference.state_dict().items()}
    module.load_state_dict(state)
    with torch.no_grad():           # the same numbers: those that float32 can hold
        for t in (*reference.parameters(), *reference.buffers()):
            if floating(t):
                t.copy_(t.float())
    expected = run(torch, reference, inputs, torch.float64)
    found = run(minitorch, module, inputs, minitorch.float32)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        if value is None or found[key] is None:
            other = found[key] if value is None else value
            assert other is None or not np.any(other), f"{key}: {found[key]}, expected {value}"
            continue
        scale = max(1.0, float(np.abs(value).max(initial=0)))
        np.testing.assert_allclose(found[key], value, rtol=2e-5, atol=2e-5 * scale, err_msg=key)


def test_every_module_is_here():
    """Those of `minitorch.nn` that compute something, containers and the like aside."""
    elsewhere = {
        "Module", "Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict", "Container", "Parameter",
        "TransformerEncoder", "TransformerDecoder", "RNNBase", "RNNCellBase", "SyncBatchNorm", "MaxUnpool1d",
        "MaxUnpool2d", "MaxUnpool3d", "FractionalMaxPool2d", "FractionalMaxPool3d", "DataParallel", "NLLLoss2d",
        "LinearCrossEntropyLoss", "NonDynamicallyQuantizableLinear",
        "CrossMapLRN2d",  # PyTorch's never takes the first channel out of its running sum
    }
    names = {name for name in dir(minitorch.nn) if isinstance(getattr(minitorch.nn, name), type)
             and issubclass(getattr(minitorch.nn, name), minitorch.nn.Module) and not name.startswith(("_", "Lazy"))}
    assert names - elsewhere - {case[0] for case in CASES} == set()
