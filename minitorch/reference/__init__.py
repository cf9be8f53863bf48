"""The primitives that a device must provide, each as a few obvious lines of NumPy: their specification.

Everything else in minitorch is composed of these, on every device.  One conformance suite (``tests/engine``) holds each
device to them.  They are written to be read, not to be fast, and nothing in the library calls them.

==================  ===================================================================================================
`memory`            ``strided`` (a view of a buffer), ``copy`` (strided, broadcasting, converting), ``fill``
`pointwise`         ``pointwise`` (an operation of the table), ``gradient`` (what it passes to an operand)
`reduce`            ``sum mean prod amax amin argmax argmin any all var logsumexp``, the scans ``cumsum cumprod
                    cummax cummin logcumsumexp``
`matmul`            ``matmul`` (with every case of broadcasting, and the scaled sum of ``addmm``)
`index`             ``index_select gather scatter scatter_add``
`sort`              ``sort topk kthvalue median mode searchsorted bincount``
`softmax`           ``softmax log_softmax nll_loss cross_entropy`` and their gradients
`random`            the generator and its distributions
==================  ===================================================================================================

NumPy has no bfloat16: its bits are a ``uint16`` array, which `memory.widen` makes float32 and `memory.narrow` rounds.
"""
