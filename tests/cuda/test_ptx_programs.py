"""The PTX interpreter's threads: where they part and meet, wait, see each other's registers, and share memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from cuda.test_ptx import run, values

from minitorch.cuda.simulator import ptx

PER_BLOCK, GRID = 64, 3
THREADS = np.arange(PER_BLOCK * GRID)


def go(body: str, arrays: list[np.ndarray] | None = None, result: type = np.uint32, head: str = "", shared: int = 0,
       threads: int = PER_BLOCK) -> np.ndarray:  # fmt: skip
    """Execute on a grid of blocks; %r10 is the number of the thread, %r0 is stored at the end."""
    size = 8 * np.dtype(result).itemsize
    register = "%rd10" if size == 64 else "%f0" if result is np.float32 else "%r0"
    return run(f"{body}\nst.global.b{size} [%rd0], {register};", arrays or [], threads, GRID, shared, head, result)


def test_paths_part_and_meet() -> None:
    found = go("""and.b32 %r1, %r10, 3; setp.eq.u32 %p1, %r1, 0; @%p1 bra A; setp.eq.u32 %p2, %r1, 1; @%p2 bra B;
    mov.u32 %r0, 30; bra C;
    A: mov.u32 %r0, 10; bra C;
    B: mov.u32 %r0, 20;
    C: add.u32 %r0, %r0, %r1;""")
    np.testing.assert_array_equal(found, np.array([10, 21, 32, 33])[THREADS % 4])


def test_a_loop_of_its_own_length_for_each_thread() -> None:
    found = go("""mov.u32 %r0, 0; mov.u32 %r1, 0;
    L: setp.ge.u32 %p1, %r1, %r10; @%p1 bra E; add.u32 %r1, %r1, 1; add.u32 %r0, %r0, %r1; bra L;
    E:""")
    np.testing.assert_array_equal(found, THREADS * (THREADS + 1) // 2)


def test_guards_and_early_exits() -> None:
    found = go("""setp.lt.u32 %p1, %r10, 100; mov.u32 %r0, 1; @%p1 mov.u32 %r0, 2; @!%p1 add.u32 %r0, %r0, 4;
    setp.eq.u32 %p2, %r10, 7; @%p2 ret;""")
    expected = np.where(THREADS < 100, 2, 5)
    expected[7] = 0x77
    np.testing.assert_array_equal(found, expected)


def test_a_jump_table() -> None:
    found = go("""T: .branchtargets A, B, C;
    rem.u32 %r1, %r10, 3; brx.idx %r1, T;
    A: mov.u32 %r0, 5; bra E;
    B: mov.u32 %r0, 6; bra E;
    C: mov.u32 %r0, 7;
    E:""")
    np.testing.assert_array_equal(found, THREADS % 3 + 5)


FUNCTIONS = """
.func (.param .b32 result) twice(.param .b32 x) {
  .reg .b32 %r<3>; ld.param.u32 %r1, [x]; add.u32 %r2, %r1, %r1; st.param.b32 [result], %r2; ret;
}
.func (.param .b32 result) fourfold(.param .b32 x) {
  .reg .b32 %r<4>; .reg .pred %p<2>; ld.param.u32 %r1, [x]; setp.gt.u32 %p1, %r1, 50; @%p1 bra BIG;
  { .param .b32 a; .param .b32 b; st.param.b32 [a], %r1; call.uni (b), twice, (a); ld.param.b32 %r2, [b]; }
  { .param .b32 a; .param .b32 b; st.param.b32 [a], %r2; call.uni (b), twice, (a); ld.param.b32 %r2, [b]; }
  st.param.b32 [result], %r2; ret;
  BIG: st.param.b32 [result], 9; ret;
}"""


def test_calls() -> None:
    found = go("""
    { .param .b32 a; .param .b32 b; st.param.b32 [a], %r10; call (b), fourfold, (a); ld.param.b32 %r0, [b]; }
    setp.lt.u32 %p1, %r10, 10; @!%p1 bra E;
    { .param .b32 a; .param .b32 b; st.param.b32 [a], %r0; call (b), twice, (a); ld.param.b32 %r0, [b]; }
    E:""", head=FUNCTIONS)
    expected = np.where(THREADS > 50, 9, 4 * THREADS)
    np.testing.assert_array_equal(found, np.where(THREADS < 10, 2 * expected, expected))


def test_recursion_is_refused() -> None:
    head = ".func f(.param .b32 x) { call f, (x); ret; }"
    with pytest.raises(ptx.PtxError, match="calls itself"):
        go("{ .param .b32 a; call f, (a); }", head=head)


def test_local_memory_is_each_threads_own() -> None:
    found = go(""".local .align 8 .b8 room[64]; .reg .b64 %SP; mov.u64 %SP, room; cvta.local.u64 %rd11, %SP;
    and.b32 %r1, %r10, 15; mul.wide.u32 %rd12, %r1, 4; add.u64 %rd13, %SP, %rd12; st.local.u32 [%rd13], %r10;
    add.u64 %rd14, %rd11, %rd12; ld.u32 %r0, [%rd14];""")
    np.testing.assert_array_equal(found, THREADS)


def test_module_variables_and_constants() -> None:
    head = """.const .align 4 .b8 table[8] = {1, 0, 0, 0, 2, 0, 0, 0};
    .global .align 4 .u32 counter = 5; .global .align 8 .u64 pointer = generic(counter);"""
    found = go("""and.b32 %r1, %r10, 1; mul.wide.u32 %rd11, %r1, 4; mov.u64 %rd12, table; add.u64 %rd11, %rd11, %rd12;
    ld.const.u32 %r0, [%rd11]; ld.global.u64 %rd13, [pointer]; ld.u32 %r2, [%rd13];
    add.u32 %r0, %r0, %r2;""", head=head)
    np.testing.assert_array_equal(found, 6 + THREADS % 2)


REVERSE = """.shared .align 4 .b8 room[256]; mov.u32 %r1, %tid.x; shl.b32 %r2, %r1, 2; mov.u32 %r3, room;
    add.u32 %r4, %r3, %r2; st.shared.u32 [%r4], %r10; bar.sync 0; sub.u32 %r5, 252, %r2; add.u32 %r5, %r5, %r3;
    ld.shared.u32 %r0, [%r5];"""


def test_shared_memory_and_a_barrier() -> None:
    expected = THREADS.reshape(GRID, -1)[:, ::-1].ravel()
    np.testing.assert_array_equal(go(REVERSE), expected)
    dynamic = REVERSE.replace(".shared .align 4 .b8 room[256];", "")
    np.testing.assert_array_equal(go(dynamic, head=".extern .shared .align 16 .b8 room[];", shared=256), expected)


def test_a_barrier_waits_for_paths_that_parted() -> None:
    found = go(REVERSE.replace("st.shared.u32 [%r4], %r10;", """setp.lt.u32 %p1, %r1, 20; @%p1 bra S; nanosleep.u32 9;
    st.shared.u32 [%r4], %r10; bra.uni M; S: st.shared.u32 [%r4], %r10; M:"""))
    np.testing.assert_array_equal(found, THREADS.reshape(GRID, -1)[:, ::-1].ravel())


def test_a_barrier_in_one_branch_is_refused() -> None:
    with pytest.raises(ptx.PtxError, match=r"must be reached by all|neither can go on"):
        go("""mov.u32 %r1, %tid.x; setp.lt.u32 %p1, %r1, 20; mov.u32 %r0, 0; @%p1 bra S; bar.sync 0; bra M;
        S: mov.u32 %r0, 1; bar.sync 0; M:""")


def test_barriers_of_parts_of_a_block() -> None:
    found = go(REVERSE.replace("bar.sync 0;", """setp.lt.u32 %p1, %r1, 32; @%p1 bra S; bar.sync 1, 32; bra M;
    S: bar.sync 2, 32; M: bar.sync 0;"""))
    np.testing.assert_array_equal(found, THREADS.reshape(GRID, -1)[:, ::-1].ravel())


@pytest.mark.parametrize("threads", [64, 50])
def test_counting_barriers(threads: int) -> None:
    found = go("mov.u32 %r1, %tid.x; setp.lt.u32 %p1, %r1, 20; bar.red.popc.u32 %r0, 0, %p1;", threads=threads)
    np.testing.assert_array_equal(found, 20)
    found = go("""mov.u32 %r1, %tid.x; setp.lt.u32 %p1, %r1, 20; @%p1 bra S; nanosleep.u32 1;
    S: bar.red.or.pred %p2, 0, %p1; selp.u32 %r0, 1, 0, %p2;""", threads=threads)
    np.testing.assert_array_equal(found, 1)


LANES = THREADS % 32
WARPS = THREADS - LANES


@pytest.mark.parametrize(("mode", "by", "control", "source"), [
    ("bfly", 5, 31, LANES ^ 5), ("down", 3, 31, np.where(LANES + 3 < 32, LANES + 3, LANES)),
    ("up", 4, 0, np.where(LANES >= 4, LANES - 4, LANES)), ("idx", 9, 31, np.full_like(LANES, 9)),
    ("bfly", 3, 0x181F, LANES ^ 3), ("down", 3, 0x181F, np.where(LANES % 8 + 3 < 8, LANES + 3, LANES)),
    ("idx", 2, 0x181F, LANES // 8 * 8 + 2),
])  # fmt: skip
def test_shuffles(mode: str, by: int, control: int, source: np.ndarray) -> None:
    found = go(f"mul.lo.u32 %r1, %r10, 3; shfl.sync.{mode}.b32 %r0|%p1, %r1, {by}, {control}, -1;")
    np.testing.assert_array_equal(found, 3 * (WARPS + source))


def test_a_shuffle_waits_for_paths_that_parted() -> None:
    found = go("""and.b32 %r1, %r10, 1; setp.eq.u32 %p1, %r1, 0; @%p1 bra S;
    shfl.sync.bfly.b32 %r0, %r10, 2, 31, 0xaaaaaaaa; bra M;
    S: shfl.sync.bfly.b32 %r0, %r10, 4, 31, 0x55555555;
    M: shfl.sync.idx.b32 %r2, %r10, 0, 31, -1;
    add.u32 %r0, %r0, %r2;""")
    np.testing.assert_array_equal(found, np.where(THREADS % 2 == 1, THREADS ^ 2, THREADS ^ 4) + WARPS)


def test_a_mask_without_oneself_is_refused() -> None:
    with pytest.raises(ptx.PtxError, match="its mask 0xffff does not name"):
        go("shfl.sync.bfly.b32 %r0, %r10, 1, 31, 0xffff;")


def test_waiting_for_who_never_comes_is_refused() -> None:
    with pytest.raises(ptx.PtxError, match="waits at"):
        go("""mov.u32 %r0, 0; setp.lt.u32 %p1, %r10, 5; @%p1 bra S; shfl.sync.bfly.b32 %r0, %r10, 1, 31, -1; bra M;
        S: bar.sync 0; M: bar.sync 0;""")


def test_votes() -> None:
    body = "rem.u32 %r1, %r10, 3; setp.eq.u32 %p1, %r1, 0;"
    thirds = (THREADS % 3 == 0).reshape(-1, 32)
    ballots = np.array([sum(1 << k for k in np.flatnonzero(row)) for row in thirds], np.uint32)
    np.testing.assert_array_equal(go(f"{body} vote.sync.ballot.b32 %r0, %p1, -1;"), ballots.repeat(32))
    for mode, expected in (("all", 0), ("any", 1), ("uni", 0)):
        found = go(f"{body} vote.sync.{mode}.pred %p2, %p1, -1; selp.u32 %r0, 1, 0, %p2;")
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(go("activemask.b32 %r0;"), 0xFFFFFFFF)
    parted = go("mov.u32 %r0, 0; and.b32 %r1, %r10, 1; setp.eq.u32 %p1, %r1, 0; @%p1 activemask.b32 %r0;")
    np.testing.assert_array_equal(parted, np.where(THREADS % 2 == 0, 0x55555555, 0))


def test_matches_and_warp_reductions() -> None:
    same = np.array([sum(1 << k for k in range(32) if k % 5 == lane % 5) for lane in range(32)], np.uint32)[LANES]
    body = "and.b32 %r1, %r10, 31; rem.u32 %r1, %r1, 5;"
    np.testing.assert_array_equal(go(f"{body} match.any.sync.b32 %r0, %r1, -1;"), same)
    np.testing.assert_array_equal(go(f"{body} match.all.sync.b32 %r0|%p1, %r1, -1;"), 0)
    np.testing.assert_array_equal(go(f"{body} redux.sync.add.u32 %r0, %r1, -1;"), sum(k % 5 for k in range(32)))
    np.testing.assert_array_equal(go("redux.sync.max.s32 %r0, %r10, -1;"), WARPS + 31)
    np.testing.assert_array_equal(go("bar.warp.sync -1; mov.u32 %r0, %lanemask_lt;"), (1 << LANES) - 1)


def test_special_registers() -> None:
    body = """mov.u32 %r1, %ctaid.x; mov.u32 %r2, %nctaid.x; mov.u32 %r3, %laneid; mov.u32 %r4, %ntid.x;
    mov.u32 %r5, %warpid; mad.lo.u32 %r0, %r1, 10, %r2; mad.lo.u32 %r0, %r0, 100, %r3; mad.lo.u32 %r0, %r0, 100, %r4;
    mad.lo.u32 %r0, %r0, 10, %r5;"""
    block, thread = THREADS // PER_BLOCK, THREADS % PER_BLOCK
    expected = (((block * 10 + GRID) * 100 + LANES) * 100 + PER_BLOCK) * 10 + thread // 32
    np.testing.assert_array_equal(go(body), expected)


def atomic(text: str, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What an atomic instruction of all threads on four elements leaves behind, and what each thread found."""
    x = start.copy()
    register = {8: "%rd10", 4: "%r0"}[x.itemsize]
    address = """ld.param.u64 %rd15, [p1]; and.b32 %r1, %r10, 3; mul.wide.u32 %rd16, %r1, SIZE;
    add.u64 %rd15, %rd15, %rd16; add.u32 %r2, %r10, 1; cvt.u64.u32 %rd11, %r2;
    cvt.rn.f32.u32 %f1, %r2; cvt.rn.f64.u32 %fd1, %r2;"""
    found = go(f"{address.replace('SIZE', str(x.itemsize))} atom.global.{text.replace('d,', f'{register},')};",
               [x], result=x.dtype.type if x.itemsize == 8 else np.uint32)
    return x, found.view(x.dtype)


@pytest.mark.parametrize(("text", "dtype", "of"), [
    ("add.u32 d, [%rd15], %r2", np.uint32, np.add), ("add.f32 d, [%rd15], %f1", np.float32, np.add),
    ("add.u64 d, [%rd15], %rd11", np.uint64, np.add), ("add.f64 d, [%rd15], %fd1", np.float64, np.add),
    ("max.s32 d, [%rd15], %r2", np.int32, np.maximum), ("min.u32 d, [%rd15], %r2", np.uint32, np.minimum),
    ("or.b32 d, [%rd15], %r2", np.uint32, np.bitwise_or), ("xor.b32 d, [%rd15], %r2", np.uint32, np.bitwise_xor),
    ("and.b32 d, [%rd15], %r2", np.uint32, np.bitwise_and), ("exch.b32 d, [%rd15], %r2", np.uint32, lambda a, b: b),
    ("inc.u32 d, [%rd15], 20", np.uint32, lambda a, b: 0 if a >= 20 else a + 1),
    ("dec.u32 d, [%rd15], 20", np.uint32, lambda a, b: 20 if a == 0 or a > 20 else a - 1),
    ("cas.b32 d, [%rd15], 5, %r2", np.uint32, lambda a, b: b if a == 5 else a),
])  # fmt: skip
def test_atomics(text: str, dtype: type, of: Callable) -> None:
    start = np.array([5, 6, 7, 8], dtype)
    memory, found = atomic(text, start)
    expected, before = start.copy(), np.empty(len(THREADS), dtype)
    for thread in THREADS:
        before[thread] = expected[thread % 4]
        expected[thread % 4] = of(expected[thread % 4], dtype(thread + 1))
    np.testing.assert_array_equal(memory, expected)
    np.testing.assert_array_equal(found, before)


def test_a_lock_is_given_on() -> None:
    x = np.zeros(8, np.uint32)
    go("""ld.param.u64 %rd15, [p1];
    L: atom.global.cas.b32 %r1, [%rd15], 0, 1; setp.ne.u32 %p1, %r1, 0; @%p1 bra L;
    ld.global.u32 %r2, [%rd15+4]; add.u32 %r2, %r2, 1; st.global.u32 [%rd15+4], %r2;
    atom.global.exch.b32 %r3, [%rd15], 0; mov.u32 %r0, 0;""", [x], threads=4)
    assert x[1] == 4 * GRID


def test_vectors_and_their_alignment() -> None:
    x = values("u32", 3)[:192].copy()
    body = """ld.param.u64 %rd15, [p1]; shr.u32 %r1, %r10, 2; mul.wide.u32 %rd16, %r1, 16; add.u64 %rd15, %rd15, %rd16;
    ld.global.nc.v4.u32 {%r2, _, %r4, %r5}, [%rd15OFFSET]; add.u32 %r0, %r2, %r5;"""
    groups = x.reshape(-1, 4)
    np.testing.assert_array_equal(go(body.replace("OFFSET", ""), [x]), (groups[:, 0] + groups[:, 3]).repeat(4))
    with pytest.raises(ptx.PtxError, match="no multiple of 16"):
        go(body.replace("OFFSET", "+4"), [x])


@pytest.mark.parametrize(("text", "message"), [
    ("ld.global.u32 %r0, [%rd1+768];", r"reads 4 bytes at offset 768 of argument 1.*thread \(0, 0, 0\) of block"),
    ("st.global.u32 [%rd1+-4], %r10;", "writes 4 bytes"),
    ("mov.u64 %rd15, 0; ld.global.u32 %r0, [%rd15];", "where there is no memory"),
    ("ld.global.u32 %r0, [%rd1+2];", "no multiple of 4"),
    (".shared .align 4 .b8 s[8]; ld.shared.u32 %r0, [s+8];", "offset 8 of 8 bytes of shared memory"),
    ("setp.eq.u32 %p1, %r10, 70; @%p1 trap;", r"`@%p1 trap;`.*thread \(6, 0, 0\) of block \(1, 0, 0\)"),
    ("frobnicate.u32 %r0, %r1;", r"`frobnicate.u32 %r0, %r1;` at PTX line \d+ is not supported"),
    ("mov.u32 %r0, %unheard_of;", "not declared or not supported"),
])  # fmt: skip
def test_faults_are_located(text: str, message: str) -> None:
    x = np.zeros(len(THREADS), np.uint32)
    with pytest.raises(ptx.PtxError, match=message):
        go(text, [x])
