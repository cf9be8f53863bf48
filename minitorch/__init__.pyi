# Written by tools/stubs.py
from collections.abc import Callable
from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi
from typing import Any

from . import accelerator as accelerator
from . import amp as amp
from . import autograd as autograd
from . import backends as backends
from . import compiler as compiler
from . import cpu as cpu
from . import cuda as cuda
from . import datasets as datasets
from . import distributed as distributed
from . import distributions as distributions
from . import fft as fft
from . import func as func
from . import functions as functions
from . import jit as jit
from . import linalg as linalg
from . import multiprocessing as multiprocessing
from . import nn as nn
from . import optim as optim
from . import overrides as overrides
from . import profiler as profiler
from . import random as random
from . import return_types as return_types
from . import serialization as serialization
from . import signal as signal
from . import special as special
from . import storage as storage
from . import testing as testing
from . import utils as utils
from . import version as version
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
from ._ext.arithmetic import abs as abs
from ._ext.arithmetic import abs_ as abs_
from ._ext.arithmetic import absolute as absolute
from ._ext.arithmetic import absolute_ as absolute_
from ._ext.arithmetic import acos as acos
from ._ext.arithmetic import acos_ as acos_
from ._ext.arithmetic import acosh as acosh
from ._ext.arithmetic import acosh_ as acosh_
from ._ext.arithmetic import add as add
from ._ext.arithmetic import add_ as add_
from ._ext.arithmetic import addcdiv as addcdiv
from ._ext.arithmetic import addcdiv_ as addcdiv_
from ._ext.arithmetic import addcmul as addcmul
from ._ext.arithmetic import addcmul_ as addcmul_
from ._ext.arithmetic import arccos as arccos
from ._ext.arithmetic import arccos_ as arccos_
from ._ext.arithmetic import arccosh as arccosh
from ._ext.arithmetic import arccosh_ as arccosh_
from ._ext.arithmetic import arcsin as arcsin
from ._ext.arithmetic import arcsin_ as arcsin_
from ._ext.arithmetic import arcsinh as arcsinh
from ._ext.arithmetic import arcsinh_ as arcsinh_
from ._ext.arithmetic import arctan as arctan
from ._ext.arithmetic import arctan2 as arctan2
from ._ext.arithmetic import arctan2_ as arctan2_
from ._ext.arithmetic import arctan_ as arctan_
from ._ext.arithmetic import arctanh as arctanh
from ._ext.arithmetic import arctanh_ as arctanh_
from ._ext.arithmetic import asin as asin
from ._ext.arithmetic import asin_ as asin_
from ._ext.arithmetic import asinh as asinh
from ._ext.arithmetic import asinh_ as asinh_
from ._ext.arithmetic import atan as atan
from ._ext.arithmetic import atan2 as atan2
from ._ext.arithmetic import atan2_ as atan2_
from ._ext.arithmetic import atan_ as atan_
from ._ext.arithmetic import atanh as atanh
from ._ext.arithmetic import atanh_ as atanh_
from ._ext.arithmetic import bitwise_and as bitwise_and
from ._ext.arithmetic import bitwise_and_ as bitwise_and_
from ._ext.arithmetic import bitwise_left_shift as bitwise_left_shift
from ._ext.arithmetic import bitwise_left_shift_ as bitwise_left_shift_
from ._ext.arithmetic import bitwise_not as bitwise_not
from ._ext.arithmetic import bitwise_not_ as bitwise_not_
from ._ext.arithmetic import bitwise_or as bitwise_or
from ._ext.arithmetic import bitwise_or_ as bitwise_or_
from ._ext.arithmetic import bitwise_right_shift as bitwise_right_shift
from ._ext.arithmetic import bitwise_right_shift_ as bitwise_right_shift_
from ._ext.arithmetic import bitwise_xor as bitwise_xor
from ._ext.arithmetic import bitwise_xor_ as bitwise_xor_
from ._ext.arithmetic import ceil as ceil
from ._ext.arithmetic import ceil_ as ceil_
from ._ext.arithmetic import celu as celu
from ._ext.arithmetic import celu_ as celu_
from ._ext.arithmetic import clamp as clamp
from ._ext.arithmetic import clamp_ as clamp_
from ._ext.arithmetic import clamp_max as clamp_max
from ._ext.arithmetic import clamp_max_ as clamp_max_
from ._ext.arithmetic import clamp_min as clamp_min
from ._ext.arithmetic import clamp_min_ as clamp_min_
from ._ext.arithmetic import clip as clip
from ._ext.arithmetic import clip_ as clip_
from ._ext.arithmetic import copysign as copysign
from ._ext.arithmetic import copysign_ as copysign_
from ._ext.arithmetic import cos as cos
from ._ext.arithmetic import cos_ as cos_
from ._ext.arithmetic import cosh as cosh
from ._ext.arithmetic import cosh_ as cosh_
from ._ext.arithmetic import deg2rad as deg2rad
from ._ext.arithmetic import deg2rad_ as deg2rad_
from ._ext.arithmetic import digamma as digamma
from ._ext.arithmetic import digamma_ as digamma_
from ._ext.arithmetic import div as div
from ._ext.arithmetic import div_ as div_
from ._ext.arithmetic import divide as divide
from ._ext.arithmetic import divide_ as divide_
from ._ext.arithmetic import eq as eq
from ._ext.arithmetic import eq_ as eq_
from ._ext.arithmetic import erf as erf
from ._ext.arithmetic import erf_ as erf_
from ._ext.arithmetic import erfc as erfc
from ._ext.arithmetic import erfc_ as erfc_
from ._ext.arithmetic import erfinv as erfinv
from ._ext.arithmetic import erfinv_ as erfinv_
from ._ext.arithmetic import exp as exp
from ._ext.arithmetic import exp2 as exp2
from ._ext.arithmetic import exp2_ as exp2_
from ._ext.arithmetic import exp_ as exp_
from ._ext.arithmetic import expm1 as expm1
from ._ext.arithmetic import expm1_ as expm1_
from ._ext.arithmetic import fill_ as fill_
from ._ext.arithmetic import fix as fix
from ._ext.arithmetic import fix_ as fix_
from ._ext.arithmetic import float_power as float_power
from ._ext.arithmetic import floor as floor
from ._ext.arithmetic import floor_ as floor_
from ._ext.arithmetic import floor_divide as floor_divide
from ._ext.arithmetic import floor_divide_ as floor_divide_
from ._ext.arithmetic import fmax as fmax
from ._ext.arithmetic import fmin as fmin
from ._ext.arithmetic import fmod as fmod
from ._ext.arithmetic import fmod_ as fmod_
from ._ext.arithmetic import frac as frac
from ._ext.arithmetic import frac_ as frac_
from ._ext.arithmetic import gcd as gcd
from ._ext.arithmetic import gcd_ as gcd_
from ._ext.arithmetic import ge as ge
from ._ext.arithmetic import ge_ as ge_
from ._ext.arithmetic import greater as greater
from ._ext.arithmetic import greater_ as greater_
from ._ext.arithmetic import greater_equal as greater_equal
from ._ext.arithmetic import greater_equal_ as greater_equal_
from ._ext.arithmetic import gt as gt
from ._ext.arithmetic import gt_ as gt_
from ._ext.arithmetic import hardshrink as hardshrink
from ._ext.arithmetic import heaviside as heaviside
from ._ext.arithmetic import heaviside_ as heaviside_
from ._ext.arithmetic import hypot as hypot
from ._ext.arithmetic import hypot_ as hypot_
from ._ext.arithmetic import i0 as i0
from ._ext.arithmetic import i0_ as i0_
from ._ext.arithmetic import igamma as igamma
from ._ext.arithmetic import igamma_ as igamma_
from ._ext.arithmetic import igammac as igammac
from ._ext.arithmetic import igammac_ as igammac_
from ._ext.arithmetic import isfinite as isfinite
from ._ext.arithmetic import isinf as isinf
from ._ext.arithmetic import isnan as isnan
from ._ext.arithmetic import isneginf as isneginf
from ._ext.arithmetic import isposinf as isposinf
from ._ext.arithmetic import lcm as lcm
from ._ext.arithmetic import lcm_ as lcm_
from ._ext.arithmetic import ldexp as ldexp
from ._ext.arithmetic import ldexp_ as ldexp_
from ._ext.arithmetic import le as le
from ._ext.arithmetic import le_ as le_
from ._ext.arithmetic import lerp as lerp
from ._ext.arithmetic import lerp_ as lerp_
from ._ext.arithmetic import less as less
from ._ext.arithmetic import less_ as less_
from ._ext.arithmetic import less_equal as less_equal
from ._ext.arithmetic import less_equal_ as less_equal_
from ._ext.arithmetic import lgamma as lgamma
from ._ext.arithmetic import lgamma_ as lgamma_
from ._ext.arithmetic import log as log
from ._ext.arithmetic import log1p as log1p
from ._ext.arithmetic import log1p_ as log1p_
from ._ext.arithmetic import log2 as log2
from ._ext.arithmetic import log2_ as log2_
from ._ext.arithmetic import log10 as log10
from ._ext.arithmetic import log10_ as log10_
from ._ext.arithmetic import log_ as log_
from ._ext.arithmetic import logaddexp as logaddexp
from ._ext.arithmetic import logaddexp2 as logaddexp2
from ._ext.arithmetic import logical_and as logical_and
from ._ext.arithmetic import logical_and_ as logical_and_
from ._ext.arithmetic import logical_not as logical_not
from ._ext.arithmetic import logical_not_ as logical_not_
from ._ext.arithmetic import logical_or as logical_or
from ._ext.arithmetic import logical_or_ as logical_or_
from ._ext.arithmetic import logical_xor as logical_xor
from ._ext.arithmetic import logical_xor_ as logical_xor_
from ._ext.arithmetic import logit as logit
from ._ext.arithmetic import logit_ as logit_
from ._ext.arithmetic import lt as lt
from ._ext.arithmetic import lt_ as lt_
from ._ext.arithmetic import maximum as maximum
from ._ext.arithmetic import minimum as minimum
from ._ext.arithmetic import mul as mul
from ._ext.arithmetic import mul_ as mul_
from ._ext.arithmetic import multiply as multiply
from ._ext.arithmetic import multiply_ as multiply_
from ._ext.arithmetic import nan_to_num as nan_to_num
from ._ext.arithmetic import nan_to_num_ as nan_to_num_
from ._ext.arithmetic import ne as ne
from ._ext.arithmetic import ne_ as ne_
from ._ext.arithmetic import neg as neg
from ._ext.arithmetic import neg_ as neg_
from ._ext.arithmetic import negative as negative
from ._ext.arithmetic import negative_ as negative_
from ._ext.arithmetic import nextafter as nextafter
from ._ext.arithmetic import nextafter_ as nextafter_
from ._ext.arithmetic import not_equal as not_equal
from ._ext.arithmetic import not_equal_ as not_equal_
from ._ext.arithmetic import polygamma as polygamma
from ._ext.arithmetic import positive as positive
from ._ext.arithmetic import pow as pow
from ._ext.arithmetic import pow_ as pow_
from ._ext.arithmetic import prelu as prelu
from ._ext.arithmetic import rad2deg as rad2deg
from ._ext.arithmetic import rad2deg_ as rad2deg_
from ._ext.arithmetic import reciprocal as reciprocal
from ._ext.arithmetic import reciprocal_ as reciprocal_
from ._ext.arithmetic import relu as relu
from ._ext.arithmetic import relu_ as relu_
from ._ext.arithmetic import remainder as remainder
from ._ext.arithmetic import remainder_ as remainder_
from ._ext.arithmetic import result_type as result_type
from ._ext.arithmetic import round as round
from ._ext.arithmetic import round_ as round_
from ._ext.arithmetic import rsqrt as rsqrt
from ._ext.arithmetic import rsqrt_ as rsqrt_
from ._ext.arithmetic import rsub as rsub
from ._ext.arithmetic import selu as selu
from ._ext.arithmetic import selu_ as selu_
from ._ext.arithmetic import sigmoid as sigmoid
from ._ext.arithmetic import sigmoid_ as sigmoid_
from ._ext.arithmetic import sign as sign
from ._ext.arithmetic import sign_ as sign_
from ._ext.arithmetic import signbit as signbit
from ._ext.arithmetic import sin as sin
from ._ext.arithmetic import sin_ as sin_
from ._ext.arithmetic import sinc as sinc
from ._ext.arithmetic import sinc_ as sinc_
from ._ext.arithmetic import sinh as sinh
from ._ext.arithmetic import sinh_ as sinh_
from ._ext.arithmetic import sqrt as sqrt
from ._ext.arithmetic import sqrt_ as sqrt_
from ._ext.arithmetic import square as square
from ._ext.arithmetic import square_ as square_
from ._ext.arithmetic import sub as sub
from ._ext.arithmetic import sub_ as sub_
from ._ext.arithmetic import subtract as subtract
from ._ext.arithmetic import subtract_ as subtract_
from ._ext.arithmetic import tan as tan
from ._ext.arithmetic import tan_ as tan_
from ._ext.arithmetic import tanh as tanh
from ._ext.arithmetic import tanh_ as tanh_
from ._ext.arithmetic import threshold as threshold
from ._ext.arithmetic import threshold_ as threshold_
from ._ext.arithmetic import true_divide as true_divide
from ._ext.arithmetic import true_divide_ as true_divide_
from ._ext.arithmetic import trunc as trunc
from ._ext.arithmetic import trunc_ as trunc_
from ._ext.arithmetic import xlogy as xlogy
from ._ext.arithmetic import xlogy_ as xlogy_
from ._ext.arithmetic import zero_ as zero_
from ._ext.arrange import flip as flip
from ._ext.arrange import tril as tril
from ._ext.arrange import triu as triu
from ._ext.conv import conv1d as conv1d
from ._ext.conv import conv2d as conv2d
from ._ext.conv import conv3d as conv3d
from ._ext.conv import conv_transpose1d as conv_transpose1d
from ._ext.conv import conv_transpose2d as conv_transpose2d
from ._ext.conv import conv_transpose3d as conv_transpose3d
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
from ._ext.engine import is_complex as is_complex
from ._ext.engine import is_floating_point as is_floating_point
from ._ext.engine import numel as numel
from ._ext.engine import ones as ones
from ._ext.engine import ones_like as ones_like
from ._ext.engine import tensor as tensor
from ._ext.engine import zeros as zeros
from ._ext.engine import zeros_like as zeros_like
from ._ext.extrema import amax as amax
from ._ext.extrema import amin as amin
from ._ext.extrema import aminmax as aminmax
from ._ext.extrema import argmax as argmax
from ._ext.extrema import argmin as argmin
from ._ext.extrema import max as max
from ._ext.extrema import min as min
from ._ext.index import cat as cat
from ._ext.index import index_put as index_put
from ._ext.index import index_select as index_select
from ._ext.index import masked_fill as masked_fill
from ._ext.index import masked_select as masked_select
from ._ext.index import nonzero as nonzero
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
from ._ext.moments import logsumexp as logsumexp
from ._ext.moments import std as std
from ._ext.moments import std_mean as std_mean
from ._ext.moments import var as var
from ._ext.moments import var_mean as var_mean
from ._ext.random import Generator as Generator
from ._ext.random import bernoulli as bernoulli
from ._ext.random import binomial as binomial
from ._ext.random import default_generator as default_generator
from ._ext.random import dropout as dropout
from ._ext.random import get_rng_state as get_rng_state
from ._ext.random import initial_seed as initial_seed
from ._ext.random import manual_seed as manual_seed
from ._ext.random import multinomial as multinomial
from ._ext.random import normal as normal
from ._ext.random import poisson as poisson
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
from ._ext.reduce import any as any
from ._ext.reduce import count_nonzero as count_nonzero
from ._ext.reduce import cumprod as cumprod
from ._ext.reduce import cumsum as cumsum
from ._ext.reduce import mean as mean
from ._ext.reduce import nanmean as nanmean
from ._ext.reduce import nansum as nansum
from ._ext.reduce import prod as prod
from ._ext.reduce import sum as sum
from ._ext.scan import cummax as cummax
from ._ext.scan import cummin as cummin
from ._ext.scan import logcumsumexp as logcumsumexp
from ._ext.scatter import gather as gather
from ._ext.scatter import index_add as index_add
from ._ext.scatter import index_copy as index_copy
from ._ext.scatter import index_fill as index_fill
from ._ext.scatter import scatter as scatter
from ._ext.scatter import scatter_add as scatter_add
from ._ext.scatter import scatter_reduce as scatter_reduce
from ._ext.shaping import as_strided as as_strided
from ._ext.shaping import broadcast_to as broadcast_to
from ._ext.shaping import chunk as chunk
from ._ext.shaping import clone as clone
from ._ext.shaping import detach as detach
from ._ext.shaping import detach_ as detach_
from ._ext.shaping import diagonal as diagonal
from ._ext.shaping import flatten as flatten
from ._ext.shaping import is_inference as is_inference
from ._ext.shaping import movedim as movedim
from ._ext.shaping import narrow as narrow
from ._ext.shaping import permute as permute
from ._ext.shaping import ravel as ravel
from ._ext.shaping import reshape as reshape
from ._ext.shaping import select as select
from ._ext.shaping import squeeze as squeeze
from ._ext.shaping import t as t
from ._ext.shaping import transpose as transpose
from ._ext.shaping import unbind as unbind
from ._ext.shaping import unflatten as unflatten
from ._ext.shaping import unsqueeze as unsqueeze
from ._ext.shaping import view_as_complex as view_as_complex
from ._ext.shaping import view_as_real as view_as_real
from ._ext.softmax import log_softmax as log_softmax
from ._ext.softmax import softmax as softmax
from ._ext.sort import argsort as argsort
from ._ext.sort import kthvalue as kthvalue
from ._ext.sort import median as median
from ._ext.sort import mode as mode
from ._ext.sort import msort as msort
from ._ext.sort import nanmedian as nanmedian
from ._ext.sort import sort as sort
from ._ext.sort import topk as topk
from ._ext.storage import empty_cache as empty_cache
from ._ext.storage import memory_stats as memory_stats
from ._ext.storage import set_cache_limit as set_cache_limit
from ._ext.tensor import is_grad_enabled as is_grad_enabled
from ._ext.tensor import is_inference_mode_enabled as is_inference_mode_enabled
from ._ext.threads import get_num_threads as get_num_threads
from ._ext.threads import set_num_threads as set_num_threads
from ._printing import get_printoptions as get_printoptions
from ._printing import set_printoptions as set_printoptions
from ._settings import _assert as _assert
from ._settings import _check as _check
from ._settings import are_deterministic_algorithms_enabled as are_deterministic_algorithms_enabled
from ._settings import get_default_device as get_default_device
from ._settings import get_float32_matmul_precision as get_float32_matmul_precision
from ._settings import get_num_interop_threads as get_num_interop_threads
from ._settings import is_deterministic_algorithms_warn_only_enabled as is_deterministic_algorithms_warn_only_enabled
from ._settings import is_storage as is_storage
from ._settings import is_warn_always_enabled as is_warn_always_enabled
from ._settings import set_default_device as set_default_device
from ._settings import set_float32_matmul_precision as set_float32_matmul_precision
from ._settings import set_num_interop_threads as set_num_interop_threads
from ._settings import set_warn_always as set_warn_always
from ._settings import typename as typename
from ._settings import use_deterministic_algorithms as use_deterministic_algorithms
from ._size import Size as Size
from ._tensor import Tensor as Tensor
from ._version import __version__ as __version__
from .amp.autocast_mode import autocast as autocast
from .amp.autocast_mode import get_autocast_cpu_dtype as get_autocast_cpu_dtype
from .amp.autocast_mode import get_autocast_dtype as get_autocast_dtype
from .amp.autocast_mode import get_autocast_gpu_dtype as get_autocast_gpu_dtype
from .amp.autocast_mode import is_autocast_cache_enabled as is_autocast_cache_enabled
from .amp.autocast_mode import is_autocast_cpu_enabled as is_autocast_cpu_enabled
from .amp.autocast_mode import is_autocast_enabled as is_autocast_enabled
from .autograd.anomaly_mode import is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled
from .autograd.anomaly_mode import is_anomaly_enabled as is_anomaly_enabled
from .autograd.explaining import explain as explain
from .autograd.grad_mode import enable_grad as enable_grad
from .autograd.grad_mode import inference_mode as inference_mode
from .autograd.grad_mode import no_grad as no_grad
from .autograd.grad_mode import set_grad_enabled as set_grad_enabled
from .compiler import compile as compile
from .cuda.runtime import OutOfMemoryError as OutOfMemoryError
from .func.vmap import vmap as vmap
from .functions.calculus import corrcoef as corrcoef
from .functions.calculus import cov as cov
from .functions.calculus import cumulative_trapezoid as cumulative_trapezoid
from .functions.calculus import diff as diff
from .functions.calculus import gradient as gradient
from .functions.calculus import trapezoid as trapezoid
from .functions.calculus import trapz as trapz
from .functions.comparing import allclose as allclose
from .functions.comparing import equal as equal
from .functions.comparing import is_tensor as is_tensor
from .functions.comparing import isclose as isclose
from .functions.comparing import where as where
from .functions.complex_numbers import adjoint as adjoint
from .functions.complex_numbers import angle as angle
from .functions.complex_numbers import complex as complex
from .functions.complex_numbers import conj as conj
from .functions.complex_numbers import conj_physical as conj_physical
from .functions.complex_numbers import imag as imag
from .functions.complex_numbers import is_conj as is_conj
from .functions.complex_numbers import isreal as isreal
from .functions.complex_numbers import polar as polar
from .functions.complex_numbers import real as real
from .functions.complex_numbers import resolve_conj as resolve_conj
from .functions.complex_numbers import resolve_neg as resolve_neg
from .functions.complex_numbers import sgn as sgn
from .functions.counting import argwhere as argwhere
from .functions.counting import bincount as bincount
from .functions.counting import histc as histc
from .functions.counting import histogram as histogram
from .functions.counting import histogramdd as histogramdd
from .functions.creating import asarray as asarray
from .functions.creating import bartlett_window as bartlett_window
from .functions.creating import blackman_window as blackman_window
from .functions.creating import empty_strided as empty_strided
from .functions.creating import frombuffer as frombuffer
from .functions.creating import hamming_window as hamming_window
from .functions.creating import hann_window as hann_window
from .functions.creating import kaiser_window as kaiser_window
from .functions.creating import scalar_tensor as scalar_tensor
from .functions.creating import set_default_tensor_type as set_default_tensor_type
from .functions.diagonals import diag as diag
from .functions.diagonals import diag_embed as diag_embed
from .functions.diagonals import diagflat as diagflat
from .functions.diagonals import trace as trace
from .functions.diagonals import tril_indices as tril_indices
from .functions.diagonals import triu_indices as triu_indices
from .functions.einsum import einsum as einsum
from .functions.gamma import mvlgamma as mvlgamma
from .functions.indexing import as_strided_scatter as as_strided_scatter
from .functions.indexing import diagonal_scatter as diagonal_scatter
from .functions.indexing import index_reduce as index_reduce
from .functions.indexing import masked_scatter as masked_scatter
from .functions.indexing import put as put
from .functions.indexing import select_scatter as select_scatter
from .functions.indexing import slice_scatter as slice_scatter
from .functions.indexing import take as take
from .functions.indexing import take_along_dim as take_along_dim
from .functions.joining import atleast_1d as atleast_1d
from .functions.joining import atleast_2d as atleast_2d
from .functions.joining import atleast_3d as atleast_3d
from .functions.joining import block_diag as block_diag
from .functions.joining import cartesian_prod as cartesian_prod
from .functions.joining import column_stack as column_stack
from .functions.joining import combinations as combinations
from .functions.joining import concat as concat
from .functions.joining import concatenate as concatenate
from .functions.joining import dsplit as dsplit
from .functions.joining import dstack as dstack
from .functions.joining import hsplit as hsplit
from .functions.joining import hstack as hstack
from .functions.joining import meshgrid as meshgrid
from .functions.joining import row_stack as row_stack
from .functions.joining import split as split
from .functions.joining import split_with_sizes as split_with_sizes
from .functions.joining import tensor_split as tensor_split
from .functions.joining import unsafe_chunk as unsafe_chunk
from .functions.joining import unsafe_split as unsafe_split
from .functions.joining import unsafe_split_with_sizes as unsafe_split_with_sizes
from .functions.joining import vsplit as vsplit
from .functions.joining import vstack as vstack
from .functions.linear_algebra import cholesky as cholesky
from .functions.linear_algebra import cholesky_inverse as cholesky_inverse
from .functions.linear_algebra import cholesky_solve as cholesky_solve
from .functions.linear_algebra import det as det
from .functions.linear_algebra import geqrf as geqrf
from .functions.linear_algebra import inverse as inverse
from .functions.linear_algebra import logdet as logdet
from .functions.linear_algebra import lu as lu
from .functions.linear_algebra import lu_solve as lu_solve
from .functions.linear_algebra import lu_unpack as lu_unpack
from .functions.linear_algebra import matrix_exp as matrix_exp
from .functions.linear_algebra import matrix_power as matrix_power
from .functions.linear_algebra import norm as norm
from .functions.linear_algebra import orgqr as orgqr
from .functions.linear_algebra import ormqr as ormqr
from .functions.linear_algebra import pca_lowrank as pca_lowrank
from .functions.linear_algebra import pinverse as pinverse
from .functions.linear_algebra import qr as qr
from .functions.linear_algebra import slogdet as slogdet
from .functions.linear_algebra import svd as svd
from .functions.linear_algebra import svd_lowrank as svd_lowrank
from .functions.linear_algebra import triangular_solve as triangular_solve
from .functions.numbers import fill as fill
from .functions.numbers import frexp as frexp
from .functions.numbers import is_nonzero as is_nonzero
from .functions.ordering import bucketize as bucketize
from .functions.ordering import isin as isin
from .functions.ordering import nanquantile as nanquantile
from .functions.ordering import quantile as quantile
from .functions.ordering import searchsorted as searchsorted
from .functions.ordering import unique as unique
from .functions.ordering import unique_consecutive as unique_consecutive
from .functions.products import cdist as cdist
from .functions.products import chain_matmul as chain_matmul
from .functions.products import cross as cross
from .functions.products import dist as dist
from .functions.products import kron as kron
from .functions.products import renorm as renorm
from .functions.products import tensordot as tensordot
from .functions.products import vander as vander
from .functions.shaping import broadcast_shapes as broadcast_shapes
from .functions.shaping import broadcast_tensors as broadcast_tensors
from .functions.shaping import fliplr as fliplr
from .functions.shaping import flipud as flipud
from .functions.shaping import moveaxis as moveaxis
from .functions.shaping import repeat_interleave as repeat_interleave
from .functions.shaping import roll as roll
from .functions.shaping import rot90 as rot90
from .functions.shaping import swapaxes as swapaxes
from .functions.shaping import swapdims as swapdims
from .functions.shaping import tile as tile
from .functions.shaping import unravel_index as unravel_index
from .functions.spectral import istft as istft
from .functions.spectral import stft as stft
from .nn.functional.activations import rrelu as rrelu
from .nn.functional.distances import cosine_similarity as cosine_similarity
from .nn.functional.distances import pairwise_distance as pairwise_distance
from .nn.functional.distances import pdist as pdist
from .nn.functional.normalization import group_norm as group_norm
from .nn.functional.normalization import layer_norm as layer_norm
from .nn.functional.normalization import rms_norm as rms_norm
from .nn.functional.padding import constant_pad_nd as constant_pad_nd
from .nn.functional.pooling import adaptive_avg_pool1d as adaptive_avg_pool1d
from .nn.functional.pooling import avg_pool1d as avg_pool1d
from .nn.functional.pooling import max_pool1d as max_pool1d
from .nn.functional.pooling import max_pool1d_with_indices as max_pool1d_with_indices
from .nn.functional.pooling import max_pool2d as max_pool2d
from .nn.functional.pooling import max_pool3d as max_pool3d
from .nn.functional.rearranging import channel_shuffle as channel_shuffle
from .nn.functional.rearranging import pixel_shuffle as pixel_shuffle
from .nn.functional.rearranging import pixel_unshuffle as pixel_unshuffle
from .nn.functional.resampling import grid_sampler as grid_sampler
from .nn.functional.resampling import grid_sampler_2d as grid_sampler_2d
from .nn.functional.resampling import grid_sampler_3d as grid_sampler_3d
from .serialization import load as load
from .serialization import save as save
from .utils.dlpack import from_dlpack as from_dlpack
from .utils.dlpack import to_dlpack as to_dlpack

class BFloat16Tensor(Tensor): ...
class BoolTensor(Tensor): ...
class ByteTensor(Tensor): ...
class CharTensor(Tensor): ...
class DoubleTensor(Tensor): ...
class FloatTensor(Tensor): ...
class HalfTensor(Tensor): ...
class IntTensor(Tensor): ...
class LongTensor(Tensor): ...
class ShortTensor(Tensor): ...

bfloat16: dtype
bool: dtype
cdouble: dtype
cfloat: dtype
complex128: dtype
complex64: dtype
double: dtype
float: dtype
float16: dtype
float32: dtype
float64: dtype
half: dtype
int: dtype
int16: dtype
int32: dtype
int64: dtype
int8: dtype
long: dtype
newaxis: None
short: dtype
uint8: dtype
_foreach_abs: Callable[..., Any]
_foreach_abs_: Callable[..., Any]
_foreach_acos: Callable[..., Any]
_foreach_acos_: Callable[..., Any]
_foreach_add: Callable[..., Any]
_foreach_add_: Callable[..., Any]
_foreach_addcdiv: Callable[..., Any]
_foreach_addcdiv_: Callable[..., Any]
_foreach_addcmul: Callable[..., Any]
_foreach_addcmul_: Callable[..., Any]
_foreach_asin: Callable[..., Any]
_foreach_asin_: Callable[..., Any]
_foreach_atan: Callable[..., Any]
_foreach_atan_: Callable[..., Any]
_foreach_ceil: Callable[..., Any]
_foreach_ceil_: Callable[..., Any]
_foreach_clamp_max: Callable[..., Any]
_foreach_clamp_max_: Callable[..., Any]
_foreach_clamp_min: Callable[..., Any]
_foreach_clamp_min_: Callable[..., Any]
_foreach_clone: Callable[..., Any]
_foreach_copy_: Callable[..., Any]
_foreach_cos: Callable[..., Any]
_foreach_cos_: Callable[..., Any]
_foreach_cosh: Callable[..., Any]
_foreach_cosh_: Callable[..., Any]
_foreach_div: Callable[..., Any]
_foreach_div_: Callable[..., Any]
_foreach_erf: Callable[..., Any]
_foreach_erf_: Callable[..., Any]
_foreach_erfc: Callable[..., Any]
_foreach_erfc_: Callable[..., Any]
_foreach_exp: Callable[..., Any]
_foreach_exp_: Callable[..., Any]
_foreach_expm1: Callable[..., Any]
_foreach_expm1_: Callable[..., Any]
_foreach_floor: Callable[..., Any]
_foreach_floor_: Callable[..., Any]
_foreach_frac: Callable[..., Any]
_foreach_frac_: Callable[..., Any]
_foreach_lerp: Callable[..., Any]
_foreach_lerp_: Callable[..., Any]
_foreach_lgamma: Callable[..., Any]
_foreach_lgamma_: Callable[..., Any]
_foreach_log: Callable[..., Any]
_foreach_log10: Callable[..., Any]
_foreach_log10_: Callable[..., Any]
_foreach_log1p: Callable[..., Any]
_foreach_log1p_: Callable[..., Any]
_foreach_log2: Callable[..., Any]
_foreach_log2_: Callable[..., Any]
_foreach_log_: Callable[..., Any]
_foreach_max: Callable[..., Any]
_foreach_maximum: Callable[..., Any]
_foreach_maximum_: Callable[..., Any]
_foreach_minimum: Callable[..., Any]
_foreach_minimum_: Callable[..., Any]
_foreach_mm: Callable[..., Any]
_foreach_mul: Callable[..., Any]
_foreach_mul_: Callable[..., Any]
_foreach_neg: Callable[..., Any]
_foreach_neg_: Callable[..., Any]
_foreach_norm: Callable[..., Any]
_foreach_pow: Callable[..., Any]
_foreach_pow_: Callable[..., Any]
_foreach_reciprocal: Callable[..., Any]
_foreach_reciprocal_: Callable[..., Any]
_foreach_round: Callable[..., Any]
_foreach_round_: Callable[..., Any]
_foreach_rsqrt: Callable[..., Any]
_foreach_rsqrt_: Callable[..., Any]
_foreach_sigmoid: Callable[..., Any]
_foreach_sigmoid_: Callable[..., Any]
_foreach_sign: Callable[..., Any]
_foreach_sign_: Callable[..., Any]
_foreach_sin: Callable[..., Any]
_foreach_sin_: Callable[..., Any]
_foreach_sinh: Callable[..., Any]
_foreach_sinh_: Callable[..., Any]
_foreach_sqrt: Callable[..., Any]
_foreach_sqrt_: Callable[..., Any]
_foreach_sub: Callable[..., Any]
_foreach_sub_: Callable[..., Any]
_foreach_tan: Callable[..., Any]
_foreach_tan_: Callable[..., Any]
_foreach_tanh: Callable[..., Any]
_foreach_tanh_: Callable[..., Any]
_foreach_trunc: Callable[..., Any]
_foreach_trunc_: Callable[..., Any]
_foreach_zero_: Callable[..., Any]
