# Written by tools/stubs.py
from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi

from . import autograd as autograd
from . import datasets as datasets
from . import nn as nn
from . import optim as optim
from . import special as special
from . import utils as utils
from ._creation import arange as arange
from ._creation import eye as eye
from ._creation import linspace as linspace
from ._creation import logspace as logspace
from ._creation import range as range
from ._device import channels_last as channels_last
from ._device import contiguous_format as contiguous_format
from ._device import device as device
from ._device import layout as layout
from ._device import memory_format as memory_format
from ._device import preserve_format as preserve_format
from ._device import strided as strided
from ._ext.dtype import can_cast as can_cast
from ._ext.dtype import dtype as dtype
from ._ext.dtype import finfo as finfo
from ._ext.dtype import get_default_dtype as get_default_dtype
from ._ext.dtype import iinfo as iinfo
from ._ext.dtype import promote_types as promote_types
from ._ext.dtype import set_default_dtype as set_default_dtype
from ._ext.engine import as_tensor as as_tensor
from ._ext.engine import empty as empty
from ._ext.engine import empty_like as empty_like
from ._ext.engine import from_numpy as from_numpy
from ._ext.engine import full as full
from ._ext.engine import full_like as full_like
from ._ext.engine import is_floating_point as is_floating_point
from ._ext.engine import numel as numel
from ._ext.engine import ones as ones
from ._ext.engine import ones_like as ones_like
from ._ext.engine import tensor as tensor
from ._ext.engine import zeros as zeros
from ._ext.engine import zeros_like as zeros_like
from ._ext.index import cat as cat
from ._ext.index import gather as gather
from ._ext.index import index_put as index_put
from ._ext.index import index_select as index_select
from ._ext.index import masked_fill as masked_fill
from ._ext.index import masked_select as masked_select
from ._ext.index import nonzero as nonzero
from ._ext.index import scatter as scatter
from ._ext.index import scatter_add as scatter_add
from ._ext.index import stack as stack
from ._ext.matmul import addbmm as addbmm
from ._ext.matmul import addmm as addmm
from ._ext.matmul import addmv as addmv
from ._ext.matmul import addr as addr
from ._ext.matmul import baddbmm as baddbmm
from ._ext.matmul import bmm as bmm
from ._ext.matmul import dot as dot
from ._ext.matmul import ger as ger
from ._ext.matmul import inner as inner
from ._ext.matmul import matmul as matmul
from ._ext.matmul import mm as mm
from ._ext.matmul import mv as mv
from ._ext.matmul import outer as outer
from ._ext.matmul import vdot as vdot
from ._ext.pointwise import abs as abs
from ._ext.pointwise import absolute as absolute
from ._ext.pointwise import acos as acos
from ._ext.pointwise import acosh as acosh
from ._ext.pointwise import add as add
from ._ext.pointwise import addcdiv as addcdiv
from ._ext.pointwise import addcmul as addcmul
from ._ext.pointwise import arccos as arccos
from ._ext.pointwise import arccosh as arccosh
from ._ext.pointwise import arcsin as arcsin
from ._ext.pointwise import arcsinh as arcsinh
from ._ext.pointwise import arctan as arctan
from ._ext.pointwise import arctan2 as arctan2
from ._ext.pointwise import arctanh as arctanh
from ._ext.pointwise import asin as asin
from ._ext.pointwise import asinh as asinh
from ._ext.pointwise import atan as atan
from ._ext.pointwise import atan2 as atan2
from ._ext.pointwise import atanh as atanh
from ._ext.pointwise import bitwise_and as bitwise_and
from ._ext.pointwise import bitwise_left_shift as bitwise_left_shift
from ._ext.pointwise import bitwise_not as bitwise_not
from ._ext.pointwise import bitwise_or as bitwise_or
from ._ext.pointwise import bitwise_right_shift as bitwise_right_shift
from ._ext.pointwise import bitwise_xor as bitwise_xor
from ._ext.pointwise import ceil as ceil
from ._ext.pointwise import celu as celu
from ._ext.pointwise import clamp as clamp
from ._ext.pointwise import clamp_max as clamp_max
from ._ext.pointwise import clamp_min as clamp_min
from ._ext.pointwise import copysign as copysign
from ._ext.pointwise import cos as cos
from ._ext.pointwise import cosh as cosh
from ._ext.pointwise import deg2rad as deg2rad
from ._ext.pointwise import digamma as digamma
from ._ext.pointwise import div as div
from ._ext.pointwise import eq as eq
from ._ext.pointwise import erf as erf
from ._ext.pointwise import erfc as erfc
from ._ext.pointwise import erfinv as erfinv
from ._ext.pointwise import exp as exp
from ._ext.pointwise import exp2 as exp2
from ._ext.pointwise import expm1 as expm1
from ._ext.pointwise import fix as fix
from ._ext.pointwise import floor as floor
from ._ext.pointwise import floor_divide as floor_divide
from ._ext.pointwise import fmax as fmax
from ._ext.pointwise import fmin as fmin
from ._ext.pointwise import fmod as fmod
from ._ext.pointwise import frac as frac
from ._ext.pointwise import gcd as gcd
from ._ext.pointwise import ge as ge
from ._ext.pointwise import greater as greater
from ._ext.pointwise import greater_equal as greater_equal
from ._ext.pointwise import gt as gt
from ._ext.pointwise import hardshrink as hardshrink
from ._ext.pointwise import heaviside as heaviside
from ._ext.pointwise import hypot as hypot
from ._ext.pointwise import i0 as i0
from ._ext.pointwise import isfinite as isfinite
from ._ext.pointwise import isinf as isinf
from ._ext.pointwise import isnan as isnan
from ._ext.pointwise import isneginf as isneginf
from ._ext.pointwise import isposinf as isposinf
from ._ext.pointwise import lcm as lcm
from ._ext.pointwise import ldexp as ldexp
from ._ext.pointwise import le as le
from ._ext.pointwise import lerp as lerp
from ._ext.pointwise import less as less
from ._ext.pointwise import less_equal as less_equal
from ._ext.pointwise import lgamma as lgamma
from ._ext.pointwise import log as log
from ._ext.pointwise import log1p as log1p
from ._ext.pointwise import log2 as log2
from ._ext.pointwise import log10 as log10
from ._ext.pointwise import logaddexp as logaddexp
from ._ext.pointwise import logaddexp2 as logaddexp2
from ._ext.pointwise import logical_and as logical_and
from ._ext.pointwise import logical_not as logical_not
from ._ext.pointwise import logical_or as logical_or
from ._ext.pointwise import logical_xor as logical_xor
from ._ext.pointwise import logit as logit
from ._ext.pointwise import lt as lt
from ._ext.pointwise import maximum as maximum
from ._ext.pointwise import minimum as minimum
from ._ext.pointwise import mul as mul
from ._ext.pointwise import nan_to_num as nan_to_num
from ._ext.pointwise import ne as ne
from ._ext.pointwise import neg as neg
from ._ext.pointwise import negative as negative
from ._ext.pointwise import nextafter as nextafter
from ._ext.pointwise import not_equal as not_equal
from ._ext.pointwise import polygamma as polygamma
from ._ext.pointwise import positive as positive
from ._ext.pointwise import pow as pow
from ._ext.pointwise import prelu as prelu
from ._ext.pointwise import rad2deg as rad2deg
from ._ext.pointwise import reciprocal as reciprocal
from ._ext.pointwise import relu as relu
from ._ext.pointwise import remainder as remainder
from ._ext.pointwise import result_type as result_type
from ._ext.pointwise import round as round
from ._ext.pointwise import rsqrt as rsqrt
from ._ext.pointwise import rsub as rsub
from ._ext.pointwise import selu as selu
from ._ext.pointwise import sgn as sgn
from ._ext.pointwise import sigmoid as sigmoid
from ._ext.pointwise import sign as sign
from ._ext.pointwise import signbit as signbit
from ._ext.pointwise import sin as sin
from ._ext.pointwise import sinc as sinc
from ._ext.pointwise import sinh as sinh
from ._ext.pointwise import sqrt as sqrt
from ._ext.pointwise import square as square
from ._ext.pointwise import sub as sub
from ._ext.pointwise import tan as tan
from ._ext.pointwise import tanh as tanh
from ._ext.pointwise import threshold as threshold
from ._ext.pointwise import trunc as trunc
from ._ext.pointwise import xlogy as xlogy
from ._ext.random import Generator as Generator
from ._ext.random import bernoulli as bernoulli
from ._ext.random import default_generator as default_generator
from ._ext.random import dropout as dropout
from ._ext.random import get_rng_state as get_rng_state
from ._ext.random import initial_seed as initial_seed
from ._ext.random import manual_seed as manual_seed
from ._ext.random import multinomial as multinomial
from ._ext.random import normal as normal
from ._ext.random import rand as rand
from ._ext.random import rand_like as rand_like
from ._ext.random import randint as randint
from ._ext.random import randint_like as randint_like
from ._ext.random import randn as randn
from ._ext.random import randn_like as randn_like
from ._ext.random import randperm as randperm
from ._ext.random import seed as seed
from ._ext.random import set_rng_state as set_rng_state
from ._ext.reduce import all as all
from ._ext.reduce import amax as amax
from ._ext.reduce import amin as amin
from ._ext.reduce import aminmax as aminmax
from ._ext.reduce import any as any
from ._ext.reduce import argmax as argmax
from ._ext.reduce import argmin as argmin
from ._ext.reduce import count_nonzero as count_nonzero
from ._ext.reduce import cumprod as cumprod
from ._ext.reduce import cumsum as cumsum
from ._ext.reduce import logsumexp as logsumexp
from ._ext.reduce import max as max
from ._ext.reduce import mean as mean
from ._ext.reduce import min as min
from ._ext.reduce import nanmean as nanmean
from ._ext.reduce import nansum as nansum
from ._ext.reduce import norm as norm
from ._ext.reduce import prod as prod
from ._ext.reduce import std as std
from ._ext.reduce import std_mean as std_mean
from ._ext.reduce import sum as sum
from ._ext.reduce import var as var
from ._ext.reduce import var_mean as var_mean
from ._ext.softmax import log_softmax as log_softmax
from ._ext.softmax import softmax as softmax
from ._ext.storage import empty_cache as empty_cache
from ._ext.storage import memory_stats as memory_stats
from ._ext.storage import set_cache_limit as set_cache_limit
from ._ext.tensor import is_grad_enabled as is_grad_enabled
from ._ext.tensor import is_inference_mode_enabled as is_inference_mode_enabled
from ._ext.threads import get_num_threads as get_num_threads
from ._ext.threads import set_num_threads as set_num_threads
from ._ext.views import as_strided as as_strided
from ._ext.views import broadcast_to as broadcast_to
from ._ext.views import chunk as chunk
from ._ext.views import clone as clone
from ._ext.views import detach as detach
from ._ext.views import detach_ as detach_
from ._ext.views import diagonal as diagonal
from ._ext.views import flatten as flatten
from ._ext.views import movedim as movedim
from ._ext.views import narrow as narrow
from ._ext.views import permute as permute
from ._ext.views import ravel as ravel
from ._ext.views import reshape as reshape
from ._ext.views import select as select
from ._ext.views import squeeze as squeeze
from ._ext.views import t as t
from ._ext.views import transpose as transpose
from ._ext.views import unbind as unbind
from ._ext.views import unflatten as unflatten
from ._ext.views import unsqueeze as unsqueeze
from ._functional import allclose as allclose
from ._functional import broadcast_shapes as broadcast_shapes
from ._functional import broadcast_tensors as broadcast_tensors
from ._functional import equal as equal
from ._functional import is_tensor as is_tensor
from ._functional import isclose as isclose
from ._functional import moveaxis as moveaxis
from ._functional import swapaxes as swapaxes
from ._functional import swapdims as swapdims
from ._functional import where as where
from ._printing import set_printoptions as set_printoptions
from ._size import Size as Size
from ._tensor import Tensor as Tensor
from ._version import __version__ as __version__
from .autograd.grad_mode import enable_grad as enable_grad
from .autograd.grad_mode import inference_mode as inference_mode
from .autograd.grad_mode import no_grad as no_grad
from .autograd.grad_mode import set_grad_enabled as set_grad_enabled

bool: dtype
uint8: dtype
int8: dtype
int16: dtype
int32: dtype
int64: dtype
float16: dtype
bfloat16: dtype
float32: dtype
float64: dtype
short: dtype
int: dtype
long: dtype
half: dtype
float: dtype
double: dtype
newaxis: None

class BoolTensor(Tensor): ...
class ByteTensor(Tensor): ...
class CharTensor(Tensor): ...
class ShortTensor(Tensor): ...
class IntTensor(Tensor): ...
class LongTensor(Tensor): ...
class HalfTensor(Tensor): ...
class BFloat16Tensor(Tensor): ...
class FloatTensor(Tensor): ...
class DoubleTensor(Tensor): ...
