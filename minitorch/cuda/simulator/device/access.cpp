// The checker: every load and store of an instrumented kernel comes here with its address.
//
// The compiler's thread sanitizer instruments the kernel; its run time library is replaced by this file. For each cell
// of memory we keep the last write and the last read, by thread and by epoch. Two accesses are ordered if a barrier
// (for threads of a warp: a __syncwarp()) lies between them; blocks are never ordered, except through a
// __threadfence() followed by an atomic operation on either side.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "device.h"

namespace sim {

constexpr uint16_t nobody = 0xffff, many = 0xfffe;       // `many`: threads of several warps
constexpr uint16_t warp_readers = 0x8000;                // + warp: several threads of that warp

struct Cell {
    uint32_t write_epoch, read_epoch;
    uint32_t write_warp, read_warp;                      // epoch of the thread's warp
    uint32_t write_pc, read_pc;                          // from the start of the module
    uint16_t writer, reader;
    uint8_t write_atomic, read_atomic;
};

// Memory that is checked as one: all storages that overlap, or a shared variable.
struct Area {
    uintptr_t low, high, limit;                          // [low, high) belongs to it, [low, limit) may be touched
    int variable;                                        // -1: global memory
    int shift;                                           // a cell is 4 bytes until something smaller is accessed
    size_t first;                                        // its cells in the arena
};

static std::vector<Cell> arena;                          // what is older than the launch counts as never happened
static size_t used;
static std::vector<Area> areas;
static std::vector<Region> regions;
static uint32_t launch_epoch, block_epoch;               // the first of the launch and of the block
static bool block_acquired;                              // this block ran an atomic operation
struct BlockLog { uint32_t first_epoch, fence_epoch; uint3 block; };
static std::vector<BlockLog> blocks;

static size_t reserve(size_t cells) {
    size_t first = used;
    used += cells;
    if (used > arena.size()) arena.resize(std::max(used, arena.size() * 2));
    return first;
}

static void add_area(uintptr_t low, uintptr_t high, uintptr_t limit, int variable) {
    areas.push_back({low, high, limit, variable, 2, reserve((limit - low + 3) / 4)});
}

void begin_checks(const Region *given, int count, size_t dynamic_bytes) {
    if (epoch > 0xf0000000u) {
        epoch = 0;
        arena.clear();
    }
    used = 0;
    areas.clear();
    blocks.clear();
    launch_epoch = epoch + 1;
    regions.assign(given, given + count);
    std::vector<Region> sorted = regions;
    std::sort(sorted.begin(), sorted.end(), [](const Region &a, const Region &b) { return a.low < b.low; });
    for (size_t i = 0; i < sorted.size();) {
        uintptr_t low = sorted[i].low, high = sorted[i].high;
        for (i++; i < sorted.size() && sorted[i].low < high; i++) high = std::max(high, sorted[i].high);
        if (high > low) add_area(low, high, high, -1);
    }
    for (int i = 0; i < code->shared_count; i++)
        add_area(code->shared[i].low, code->shared[i].high, code->shared[i].high, i);
    uintptr_t dynamic = (uintptr_t)code->dynamic;
    add_area(dynamic, dynamic + 227 * 1024, dynamic + dynamic_bytes, -2);
}

void begin_block_checks(uint3 block) {
    block_epoch = epoch;
    block_acquired = false;
    blocks.push_back({epoch, 0, block});
}

static const BlockLog &log_of(uint32_t when) {
    auto after = std::upper_bound(blocks.begin(), blocks.end(), when,
                                  [](uint32_t e, const BlockLog &b) { return e < b.first_epoch; });
    return *(after - 1);
}
uint3 block_of(uint32_t when) { return log_of(when).block; }

struct Access {
    uintptr_t address;
    int size;
    bool write, atomic;
    uintptr_t pc;
};

static Finding describe(Kind kind, const Area *area, const Access &a) {
    Finding f = finding(kind);
    f.pc = a.pc;
    f.size = a.size;
    f.write = a.write;
    if (area && area->variable != -1) {
        f.variable = area->variable;
        f.offset = (int64_t)(a.address - area->low);
        return f;
    }
    int64_t nearest = INT64_MAX;                         // the argument it belongs to, or lies nearest to
    for (const Region &r : regions) {
        int64_t distance = a.address < r.low ? (int64_t)(r.low - a.address)
                         : a.address >= r.high ? (int64_t)(a.address - r.high) + 1 : 0;
        if (distance < nearest || (distance == nearest && a.write && r.writable)) {
            nearest = distance;
            f.argument = r.argument;
            f.offset = (int64_t)(a.address - r.low);
        }
    }
    return f;
}

// Did what happened at `then` (in warp epoch `warp_then`, by `thread`) come before what the running thread does now?
static bool ordered(uint16_t thread, uint32_t then, uint32_t warp_then, bool shared) {
    int current = context->current;
    if (then < launch_epoch) return true;
    if (then < block_epoch)                              // of another block
        return shared || (block_acquired && log_of(then).fence_epoch >= then);
    if (then < epoch) return true;
    if (thread == current) return true;
    if (thread == many) return false;
    int warp = thread >= warp_readers ? thread - warp_readers : thread / 32;
    return warp == current / 32 && warp_then < warp_epochs[warp];
}

static void race(Kind kind, const Area &area, const Access &a, uint16_t thread, uint32_t then, uint32_t pc) {
    Finding f = describe(kind, &area, a);
    int other = thread < warp_readers ? thread : -1;
    if (thread >= warp_readers && thread != many) {      // some lane of the warp, not the one that writes
        other = (thread - warp_readers) * 32;
        if (other == context->current) other++;
    } else if (thread == many) {
        other = context->current == 0 ? 1 : 0;
        f.mask = 1;                                      // several
    }
    f.other = {context->index[other], block_of(then)};
    if (thread >= warp_readers) f.mask = 1;
    f.other_pc = code->module_low + pc;
    report(f, false);
}

static uint16_t merged_reader(const Cell &cell, uint16_t current) {
    bool same_interval = cell.read_epoch == epoch && cell.reader != nobody;
    if (!same_interval || cell.reader == current) return current;
    if (cell.reader == many) return many;
    int warp = cell.reader >= warp_readers ? cell.reader - warp_readers : cell.reader / 32;
    if (warp != current / 32) return many;
    if (cell.read_warp < warp_epochs[warp] && cell.reader < warp_readers) return current;
    return (uint16_t)(warp_readers + warp);
}

// Whether the cell's state allows the access; remembers it.
static bool visit(const Area &area, Cell &cell, const Access &a) {
    bool shared = area.variable != -1;
    uint16_t current = (uint16_t)context->current;
    uint32_t first = shared ? block_epoch : launch_epoch;
    bool written = cell.write_epoch >= first, read = cell.read_epoch >= first;
    if (shared && !written && (!a.write || a.atomic)) {
        report(describe(UNINITIALISED, &area, a), false);
        return false;
    }
    if (written && !(a.atomic && cell.write_atomic)
        && !ordered(cell.writer, cell.write_epoch, cell.write_warp, shared)) {
        race(a.write ? RACE_WRITE_WRITE : RACE_READ_AFTER_WRITE, area, a, cell.writer, cell.write_epoch, cell.write_pc);
        return false;
    }
    if (a.write && read && !(a.atomic && cell.read_atomic)
        && !ordered(cell.reader, cell.read_epoch, cell.read_warp, shared)) {
        race(RACE_WRITE_AFTER_READ, area, a, cell.reader, cell.read_epoch, cell.read_pc);
        return false;
    }
    uint32_t pc = (uint32_t)(a.pc - code->module_low);
    if (a.write) {
        cell.write_epoch = epoch;
        cell.write_warp = warp_epochs[current / 32];
        cell.write_pc = pc;
        cell.writer = current;
        cell.write_atomic = a.atomic;
    } else {
        cell.reader = merged_reader(cell, current);
        cell.read_epoch = epoch;
        cell.read_warp = warp_epochs[current / 32];
        cell.read_pc = pc;
        cell.read_atomic = a.atomic;
    }
    return true;
}

// From cells of 4 bytes to cells of 1: each byte takes over what happened to its word.
static void refine(Area &area) {
    size_t bytes = area.limit - area.low, first = reserve(bytes);
    for (size_t i = 0; i < bytes; i++) arena[first + i] = arena[area.first + i / 4];
    area.first = first;
    area.shift = 0;
}

static void check_races(Area &area, const Access &a) {
    uintptr_t offset = a.address - area.low;
    if (area.shift && ((offset | (uintptr_t)a.size) & 3)) refine(area);
    for (uintptr_t i = offset >> area.shift; i <= (offset + a.size - 1) >> area.shift; i++)
        if (!visit(area, arena[area.first + i], a)) return;
}

static bool writable(uintptr_t address) {
    for (const Region &r : regions)
        if (r.writable && address >= r.low && address < r.high) return true;
    return false;
}

static bool near_memory(uintptr_t address) {             // in a guard zone: it can be let happen
    for (const Region &r : regions)
        if (address + 240 >= r.low && address < r.high + 240) return true;
    return false;
}

// Dynamic shared memory that the launch has none of: rather the end of a shared variable that lies before it.
static const Area &meant(const Area &area, uintptr_t address) {
    const Area *best = &area;
    uintptr_t nearest = 1024;
    if (area.variable != -2 || area.limit != area.low) return area;
    for (const Area &other : areas)
        if (other.variable >= 0 && other.high <= address && address - other.high < nearest) {
            best = &other;
            nearest = address - other.high;
        }
    return *best;
}

static void check(const Access &a) {
    if (!mode.checked || failed) return;
    if (running->holds(a.address)) return;                                           // the thread's own variables
    if (a.address - (uintptr_t)context < sizeof(SimContext)) return;                 // threadIdx and the like
    for (Area &area : areas) {
        if (a.address < area.low || a.address >= area.high) continue;
        if (a.address + a.size > area.limit) {
            bool inside = area.variable == -2 && a.address + a.size <= area.high;
            report(describe(OUT_OF_BOUNDS, &meant(area, a.address), a), !inside && area.variable != -1);
            return;
        }
        if (a.address % a.size && (a.size & (a.size - 1)) == 0) {
            report(describe(MISALIGNED, &area, a), false);
            return;
        }
        if (a.write && area.variable == -1 && !writable(a.address)) {
            report(describe(READ_ONLY, &area, a), true);
            return;
        }
        check_races(area, a);
        if (a.atomic) block_acquired = true;
        if (mode.profile) record_access(a.pc, area.variable == -1 ? a.address : a.address - (uintptr_t)area.low
                                        + (area.variable < 0 ? 0 : area.low % 128), a.size, a.write,
                                        area.variable != -1);
        return;
    }
    if (a.address >= code->module_low && a.address < code->module_high) return;      // __constant__ and __device__
    report(describe(OUT_OF_BOUNDS, nullptr, a), !near_memory(a.address));
}

static void check(const void *p, int size, bool write, void *pc) {
    check({(uintptr_t)p, size, write, false, (uintptr_t)pc});
}

// ---- the undefined behaviour sanitizer, likewise

struct SourceLocation { const char *file; uint32_t line, column; };

static void undefined(const SourceLocation *at, const char *what, void *pc) {
    if (!mode.checked || failed) return;
    Finding f = finding(UNDEFINED, {at->file, (int)at->line});
    f.pc = (uintptr_t)pc;
    snprintf(f.text, sizeof f.text, "%s", what);
    report(f, false);
}

// A pointer that is null, not aligned for its type, or outside of the variable it was made from.
static void bad_pointer(const SourceLocation *at, uintptr_t p, int alignment, void *pc) {
    if (!mode.checked || failed) return;
    if (!p || p % alignment == 0) {
        Finding f = finding(UNDEFINED, {at->file, (int)at->line});
        f.pc = (uintptr_t)pc;
        snprintf(f.text, sizeof f.text, "%s", p ? "an access outside of a variable" : "an access through a null pointer");
        report(f, !p);
        return;
    }
    if (running->holds(p)) return;
    Area *area = nullptr;
    for (Area &candidate : areas)
        if (p >= candidate.low && p < candidate.high) area = &candidate;
    Finding f = describe(MISALIGNED, area, {p, alignment, false, false, (uintptr_t)pc});
    f.line = (int)at->line;
    f.file = at->file;
    report(f, false);
}

}

using namespace sim;
#define PC __builtin_return_address(0)

extern "C" {

void sim_atomic(const void *p, int size, const void *pc) {
    check({(uintptr_t)p, size, true, true, (uintptr_t)pc});
}

void sim_fence() {
    if (mode.checked && !blocks.empty()) blocks.back().fence_epoch = epoch;
}

// What GCC and Clang call for loads and stores under -fsanitize=thread.
#define SIM_ACCESS(n) \
    void __tsan_read##n(void *p) { check(p, n, false, PC); } \
    void __tsan_write##n(void *p) { check(p, n, true, PC); } \
    void __tsan_volatile_read##n(void *p) { check(p, n, false, PC); } \
    void __tsan_volatile_write##n(void *p) { check(p, n, true, PC); } \
    void __tsan_unaligned_read##n(void *p) { check(p, n, false, PC); } \
    void __tsan_unaligned_write##n(void *p) { check(p, n, true, PC); } \
    void __tsan_read_write##n(void *p) { check(p, n, false, PC); check(p, n, true, PC); }
SIM_ACCESS(1) SIM_ACCESS(2) SIM_ACCESS(4) SIM_ACCESS(8) SIM_ACCESS(16)

// Longer ones, in steps of what a thread can load at once.
static void check_range(char *p, size_t n, bool write, void *pc) {
    for (size_t step; n; p += step, n -= step) {
        step = 16;
        while (step > n || (uintptr_t)p % step) step /= 2;
        check(p, (int)step, write, pc);
    }
}
void __tsan_read_range(void *p, size_t n) { check_range((char *)p, n, false, PC); }
void __tsan_write_range(void *p, size_t n) { check_range((char *)p, n, true, PC); }
void *__tsan_memcpy(void *to, const void *from, size_t n) {
    check_range((char *)from, n, false, PC);
    check_range((char *)to, n, true, PC);
    return memcpy(to, from, n);
}
void *__tsan_memmove(void *to, const void *from, size_t n) {
    check_range((char *)from, n, false, PC);
    check_range((char *)to, n, true, PC);
    return memmove(to, from, n);
}
void *__tsan_memset(void *to, int value, size_t n) {
    check_range((char *)to, n, true, PC);
    return memset(to, value, n);
}
void __tsan_init() {}
void __tsan_func_entry(void *) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void **, void *) {}
void __tsan_vptr_read(void **) {}

struct TypeMismatch { SourceLocation at; const void *type; unsigned char log_alignment, kind; };
void __ubsan_handle_type_mismatch_v1(TypeMismatch *d, uintptr_t p) {
    bad_pointer(&d->at, p, 1 << d->log_alignment, PC);
}
void __ubsan_handle_out_of_bounds(void *d, uintptr_t index) {
    char text[96];
    snprintf(text, sizeof text, "index %ld, outside of its array", (long)index);
    undefined((SourceLocation *)d, text, PC);
}
void __ubsan_handle_add_overflow(void *d, uintptr_t, uintptr_t) {
    undefined((SourceLocation *)d, "an overflow of a signed addition", PC);
}
void __ubsan_handle_sub_overflow(void *d, uintptr_t, uintptr_t) {
    undefined((SourceLocation *)d, "an overflow of a signed subtraction", PC);
}
void __ubsan_handle_mul_overflow(void *d, uintptr_t, uintptr_t) {
    undefined((SourceLocation *)d, "an overflow of a signed multiplication", PC);
}
void __ubsan_handle_negate_overflow(void *d, uintptr_t) {
    undefined((SourceLocation *)d, "an overflow of a negation", PC);
}
void __ubsan_handle_divrem_overflow(void *d, uintptr_t, uintptr_t) {
    undefined((SourceLocation *)d, "an integer division by zero", PC);
}
void __ubsan_handle_shift_out_of_bounds(void *d, uintptr_t, uintptr_t) {
    undefined((SourceLocation *)d, "a shift by a number of bits outside of the type's width", PC);
}

}
