// Warp collectives: each lane leaves its value; when all lanes of the mask are there, each receives its result.
#include <algorithm>
#include <cstring>

#include "device.h"

namespace sim {

// Lanes that the warp has: the last one of a block may be short.
static int lanes_of(int warp) { return std::min(32, context->total - warp * 32); }

static bool takes_part(int warp, int lane) {      // a lane that has returned holds nobody up
    return lane < lanes_of(warp) && !context->exited[warp * 32 + lane];
}

static Thread &lane_of(int warp, int lane) { return threads[warp * 32 + lane]; }

// The lane that a shuffle reads: itself where it would leave its segment.
static int source_of(const Thread &t, int lane) {
    int segment = lane & ~(t.width - 1), end = segment + t.width, source = lane;
    switch (t.kind) {
    case SIM_SHFL: return segment + (t.lane & (t.width - 1));
    case SIM_SHFL_UP: source = lane - t.lane; return source < segment ? lane : source;
    case SIM_SHFL_DOWN: source = lane + t.lane; return source >= end ? lane : source;
    default: source = lane ^ t.lane; return source >= end ? lane : source;
    }
}

static unsigned reduced(int kind, unsigned a, unsigned b) {
    switch (kind) {
    case SIM_ADD: return a + b;
    case SIM_MIN: return (unsigned)std::min((int)a, (int)b);
    case SIM_MAX: return (unsigned)std::max((int)a, (int)b);
    case SIM_UMIN: return std::min(a, b);
    case SIM_UMAX: return std::max(a, b);
    case SIM_BIT_AND: return a & b;
    case SIM_BIT_OR: return a | b;
    default: return a ^ b;
    }
}

static unsigned word(const Thread &t) {
    unsigned value;
    memcpy(&value, t.value, 4);
    return value;
}

static void receive(int warp, int lane, unsigned live) {
    Thread &t = lane_of(warp, lane);
    unsigned result = 0;
    bool first = true;
    if (t.kind == SIM_WARP_SYNC) return;
    if (t.kind <= SIM_SHFL_XOR) {
        int source = source_of(t, lane);
        if (!(live >> source & 1)) {
            Finding f = finding(INACTIVE_LANE, t.place);
            f.who = who(warp * 32 + lane);
            f.offset = source;
            f.mask = t.mask;
            report(f, true);
        }
        memcpy(t.received, lane_of(warp, source).value, t.size);
        return;
    }
    for (int k = 0; k < 32; k++) {
        if (!(live >> k & 1)) continue;
        const Thread &other = lane_of(warp, k);
        if (t.kind == SIM_MATCH_ANY || t.kind == SIM_MATCH_ALL) {
            if (!memcmp(t.value, other.value, t.size)) result |= 1u << k;
        } else if (t.kind <= SIM_ALL) {
            if (word(other)) result |= 1u << k;
        } else {
            result = first ? word(other) : reduced(t.kind, result, word(other));
            first = false;
        }
    }
    if (t.kind == SIM_ANY) result = result != 0;
    if (t.kind == SIM_ALL) result = result == live;
    if (t.kind == SIM_MATCH_ALL && result != live) result = 0;
    memcpy(t.received, &result, 4);
}

// Whether all lanes of the mask wait with it.
static bool complete(int warp, unsigned mask) {
    for (int lane = 0; lane < 32; lane++) {
        if (!(mask >> lane & 1) || !takes_part(warp, lane)) continue;
        if (lane_of(warp, lane).state != AT_COLLECTIVE || lane_of(warp, lane).mask != mask) return false;
    }
    return true;
}

static void resolve(int warp, int lane) {
    const Thread &first = lane_of(warp, lane);
    unsigned mask = first.mask, live = 0;
    for (int k = 0; k < 32; k++) {
        if (!(mask >> k & 1) || !takes_part(warp, k)) continue;
        live |= 1u << k;
        if (lane_of(warp, k).kind != first.kind) {
            Finding f = finding(MIXED_COLLECTIVES, first.place);
            f.who = who(warp * 32 + lane);
            f.other = who(warp * 32 + k);
            f.other_line = lane_of(warp, k).place.line;
            f.mask = mask;
            report(f, true);
        }
    }
    for (int k = 0; k < 32; k++)
        if (live >> k & 1) receive(warp, k, live);
    if (first.kind == SIM_WARP_SYNC) warp_epochs[warp]++;
    for (int k = 0; k < 32; k++)
        if (live >> k & 1) ready(warp * 32 + k);
}

bool resolve_warp(int warp) {
    bool any = false;
    for (int lane = 0; lane < lanes_of(warp); lane++) {
        if (!takes_part(warp, lane) || lane_of(warp, lane).state != AT_COLLECTIVE) continue;
        if (!complete(warp, lane_of(warp, lane).mask)) continue;
        resolve(warp, lane);
        any = true;
    }
    return any;
}

}

using namespace sim;

extern "C" {

void sim_warp(SimPlace place, int kind, unsigned mask, const void *value, void *result, int size, int lane, int width) {
    int current = context->current, warp = current / 32;
    Thread &t = threads[current];
    if (!(mask >> (current & 31) & 1)) {
        Finding f = finding(NOT_IN_MASK, place);
        f.mask = mask;
        report(f, true);
    }
    if (width < 1 || width > 32 || (width & (width - 1))) {
        sim_trap(place, "the width of a shuffle must be 1, 2, 4, 8, 16 or 32");
    }
    t.state = AT_COLLECTIVE;
    t.place = place;
    t.kind = kind;
    t.mask = mask;
    t.lane = lane;
    t.width = width;
    t.size = size;
    if (value) memcpy(t.value, value, size);
    if (complete(warp, mask)) resolve(warp, current & 31);
    wait();
    if (result) memcpy(result, threads[current].received, kind <= SIM_SHFL_XOR ? size : 4);
}

unsigned sim_active_mask() {
    unsigned mask = 0;
    int warp = context->current / 32;
    for (int lane = 0; lane < 32; lane++)
        if (takes_part(warp, lane)) mask |= 1u << lane;
    return mask;
}

}
