"""PyTorch's own refused inputs (`error_inputs` of its operator database): refused here too, with the same class."""

import pytest
from parity.samples import Unlike, counterpart, operators, ours

import minitorch

torch = pytest.importorskip("torch")


def raised(call, sample):
    """The exception that `call` raises for a sample of arguments, or None."""
    first, args, kwargs = sample
    try:
        call(first, *args, **kwargs)
    except Exception as error:
        return error
    return None


REFUSING = [info for info in operators() if info.error_inputs_func is not None]


@pytest.mark.parametrize("info", REFUSING, ids=lambda info: info.formatted_name)
def test_is_refused_with_the_same_class(info):
    function = ours(info)
    if function is None:
        pytest.skip("not a name of minitorch")
    compared = 0
    for case in info.error_inputs("cpu"):
        sample = case.sample_input
        arguments = (sample.input, sample.args, sample.kwargs)
        try:
            mine = counterpart(arguments, {})
        except Unlike:
            continue
        wanted, got = raised(info.op, arguments), raised(function, mine)
        compared += 1
        if wanted is None:
            continue
        assert got is not None, f"{info.name} accepts what PyTorch refuses: {wanted}"
        assert isinstance(got, type(wanted)) or type(wanted) in type(got).__mro__, f"{got!r} where PyTorch: {wanted!r}"
        assert str(got), info.name
    if not compared:
        pytest.skip("every refused input is of a kind that is not here")


MISTAKES = """
x = T.zeros(2); x[0] = 1e300
x = T.zeros(2); x[:] = 1e300
x = T.zeros(2); x[T.tensor([0])] = 1e300
x = T.zeros(2); x[T.tensor([True, False])] = 1e300
x = T.zeros(2, dtype=T.complex64); x[0] = 1e300 + 1j
x = T.zeros(2, dtype=T.uint8); x[0] = 300
T.zeros(2).index_fill(0, T.tensor([0]), 1e300)
T.zeros(3).scatter(0, T.tensor([0]), 1e300)
T.tensor([2**63])
T.tensor(2**63)
T.tensor([None])
T.tensor([object()])
T.tensor([1, "a"])
T.tensor([[1, 2], [3]])
T.tensor([[[1, 2], [3, 4]], [[5, 6], [7]]])
T.tensor([[1, 2], 3])
T.tensor([1, [2]])
~T.zeros(2)
T.bitwise_not(T.zeros(2))
int(T.zeros(2))
float(T.zeros(2, 2))
complex(T.zeros(2))
T.zeros(2).item()
T.zeros(2)["a"]
T.zeros(2).repeat()
T.load("/nonexistent")
T.tensor(None)
T.zeros(2)[5]
T.zeros(2, 3).sum(5)
T.zeros(2, 3) @ T.zeros(2, 3)
T.nn.Linear(3, 2)(T.zeros(2, 2))
T.nn.functional.cross_entropy(T.zeros(2, 3), T.tensor([0, 5]))
T.nn.functional.embedding(T.tensor([5]), T.zeros(3, 2))
T.cat([T.zeros(2, 3), T.zeros(3, 2)])
T.zeros(2, requires_grad=True).numpy()
T.zeros(2).backward()
x = T.zeros(2, requires_grad=True); x += 1
""".strip().splitlines()


@pytest.mark.parametrize("line", MISTAKES)
def test_common_mistakes_raise_the_same_class(line):
    errors = []
    for library in (torch, minitorch):
        with pytest.raises(Exception) as caught:
            exec(line, {"T": library})
        errors.append(caught.value)
    theirs, ours = errors
    assert type(ours) is type(theirs), f"{ours!r} where PyTorch: {theirs!r}"
    assert str(ours)


def test_what_only_a_half_type_cannot_hold_becomes_infinite():
    for library in (torch, minitorch):
        x = library.zeros(1, dtype=library.float16)
        x[0] = 1e5
        assert x.item() == float("inf")
