// The simulated device: one launch at a time, on the thread that calls.
#pragma once
#include <cstdint>
#include <random>
#include <vector>

#include "../include/sim_context.h"
#include "fiber.h"

namespace sim {

enum Kind {      // of a finding; report.py has the words
    OUT_OF_BOUNDS = 1, MISALIGNED, READ_ONLY, UNINITIALISED, RACE_WRITE_WRITE, RACE_READ_AFTER_WRITE,
    RACE_WRITE_AFTER_READ, DIVERGENT_BARRIER, MISSED_BARRIER, MIXED_COLLECTIVES, INACTIVE_LANE, NOT_IN_MASK, DEADLOCK,
    TRAP, UNDEFINED, CRASH, SPINNING
};

struct Who { uint3 thread, block; };

// Something a kernel did wrong. Read by report.py as a structure.
struct Finding {
    int kind, line, other_line;
    int argument;                   // number of the parameter; -1 none
    int variable;                   // number of the shared variable; -1 none, -2 dynamic shared memory
    int size, write;
    unsigned mask;                  // of a collective; of threads, how many
    int64_t offset;                 // in bytes, from the start of what is accessed
    uint64_t pc, other_pc, count;
    const char *file;
    Who who, other;
    char text[160];
};

struct SharedVariable { uintptr_t low, high; };

struct KernelCode {
    void (*worker)(char *);
    SimContext *context;
    char *dynamic;                                   // its module's dynamic shared memory
    uintptr_t module_low, module_high;               // data of the module: __constant__ and __device__ variables
    const SharedVariable *shared;
    int shared_count;
};

struct Region { uintptr_t low, high; int argument, writable; };      // memory behind a pointer argument

enum Schedule { FORWARD, REVERSE, RANDOM };
struct Mode { int checked, keep_going, profile, schedule; unsigned seed; };

enum State { RUNNING, AT_BARRIER, AT_COLLECTIVE };

struct Thread {
    Fiber *fiber;
    State state;
    SimPlace place;                 // where it waits
    int kind, predicate, result;
    unsigned mask;
    int lane, width, size;
    unsigned char value[16], received[16];
};

// ---- schedule.cpp: the running block
extern SimContext *context;
extern const KernelCode *code;
extern Mode mode;
extern std::vector<Thread> threads;
extern Fiber *running;
extern bool failed;
extern uint32_t epoch;                               // grows at each barrier and block
extern std::vector<uint32_t> warp_epochs;            // grows at each __syncwarp()
extern std::mt19937 random_numbers;
void ready(int thread);                              // it may run again
void wait();                                         // the running thread cannot go on
[[noreturn]] void stop();                            // the launch cannot go on
Who who(int thread);
inline Who me() { return who(context->current); }

// ---- warp.cpp
bool resolve_warp(int warp);                         // lets all complete collectives of a warp happen

// ---- findings.cpp
Finding finding(Kind kind, SimPlace place = {nullptr, 0});
void report(const Finding &, bool fatal);            // a fatal one does not return while a kernel runs

// ---- access.cpp: the checker
void begin_checks(const Region *, int count, size_t dynamic_bytes);
void begin_block_checks(uint3 block);
uint3 block_of(uint32_t epoch);

// ---- profile.cpp
void begin_profile(int threads);
void record_access(uintptr_t pc, uintptr_t address, int size, bool write, bool shared);
void end_block_profile();

}
