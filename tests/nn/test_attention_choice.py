"""The form of attention that a program asks for is the one that runs."""

import pytest

import minitorch
from minitorch import nn
from minitorch.nn.attention import SDPBackend, sdpa_kernel


@pytest.fixture
def used(monkeypatch):
    """How often attention in blocks ran."""
    from minitorch.nn.functional import attention

    calls = []
    blocks = attention._attend_in_blocks
    monkeypatch.setattr(attention, "_attend_in_blocks", lambda *args: calls.append(1) or blocks(*args))
    return calls


def attend(**options):
    minitorch.manual_seed(0)
    q, k, v = minitorch.randn(3, 2, 2, 5, 8)
    return nn.functional.scaled_dot_product_attention(q, k, v, **options)


def test_only_plain_operations(used):
    wanted = attend()
    assert len(used) == 1
    with sdpa_kernel(SDPBackend.MATH):
        assert not minitorch.backends.cuda.flash_sdp_enabled()
        minitorch.testing.assert_close(attend(), wanted)
    assert len(used) == 1
    assert minitorch.backends.cuda.flash_sdp_enabled() and attend().equal(wanted) and len(used) == 2


@pytest.mark.parametrize("backend", [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION])
def test_only_in_blocks(used, backend):
    with sdpa_kernel([backend]):
        attend()
        assert len(used) == 1
        with pytest.raises(RuntimeError, match="No viable backend"):
            attend(dropout_p=0.5)
    attend(dropout_p=0.5)


def test_the_first_is_preferred(used):
    with sdpa_kernel([SDPBackend.MATH, SDPBackend.FLASH_ATTENTION], set_priority=True):
        attend()
    assert not used
    with sdpa_kernel([SDPBackend.MATH, SDPBackend.FLASH_ATTENTION]):
        attend()
    assert len(used) == 1


def test_settings_come_back_after_an_error():
    with pytest.raises(ZeroDivisionError), sdpa_kernel(SDPBackend.MATH):
        raise ZeroDivisionError
    assert minitorch.backends.cuda.flash_sdp_enabled()
    with pytest.raises(TypeError, match="SDPBackend"), sdpa_kernel("math"):
        pass
