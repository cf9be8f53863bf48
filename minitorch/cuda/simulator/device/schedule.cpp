// Threads of a block as fibers, the barrier, and the launch.
//
// A block starts on one fiber, which runs its threads one after another. When a thread must wait, its fiber is left
// where it is and the remaining threads start on a new one: a kernel without barriers costs no switch.
#include <algorithm>
#include <csetjmp>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

#include "device.h"

namespace sim {

SimContext *context;
const KernelCode *code;
Mode mode;
std::vector<Thread> threads;
Fiber *running;
bool failed;
uint32_t epoch;
std::vector<uint32_t> warp_epochs;
std::mt19937 random_numbers(1);

static Fiber main_fiber;
static char *arguments;
static std::vector<int> order;
static std::vector<uint3> index_of;
static dim3 index_dim(0, 0, 0);
static std::vector<unsigned char> exited;
static std::vector<int> queue;               // threads that may run again
static size_t head;
static int at_barrier;
static uint64_t spins;
static std::string printed;

static void go(Fiber *to) {
    Fiber *from = running;
    running = to;
    switch_fiber(*from, *to);
}

static sigjmp_buf escape;

void stop() {
    failed = true;
    if (running == &main_fiber) siglongjmp(escape, 2);
    go(&main_fiber);
    __builtin_trap();
}

Who who(int thread) { return {context->index[thread], context->block}; }

void ready(int thread) {
    threads[thread].state = RUNNING;
    queue.push_back(thread);
}

static void dispatch();

static void body() {
    code->worker(arguments);
    free_fiber(running);
    dispatch();
    __builtin_trap();
}

static void start_fiber() {
    Fiber *fiber = new_fiber(body);
    if (!fiber) {
        Finding f = finding(TRAP);
        snprintf(f.text, sizeof f.text, "no memory for the stack of another thread");
        report(f, true);
    }
    go(fiber);
}

// All threads that have not returned are at the barrier: they must be all of the block, at one barrier.
static void release_barrier() {
    int total = context->total, sum = 0, first = -1;
    for (int i = 0; i < total; i++) {
        if (exited[i]) continue;
        if (first < 0) first = i;
        const Thread &a = threads[first], &b = threads[i];
        if (a.place.line != b.place.line || strcmp(a.place.file, b.place.file)) {
            Finding f = finding(DIVERGENT_BARRIER, a.place);
            f.who = who(first);
            f.other = who(i);
            f.other_line = b.place.line;
            report(f, true);
        }
        sum += b.predicate;
    }
    if (context->live != total) {
        int gone = 0;
        while (!exited[gone]) gone++;
        Finding f = finding(MISSED_BARRIER, threads[first].place);
        f.who = who(first);
        f.other = who(gone);
        f.mask = (unsigned)(total - context->live);
        report(f, true);
    }
    epoch++;
    at_barrier = 0;
    for (int k = 0; k < total; k++) {
        Thread &t = threads[order[k]];
        t.result = t.kind == SIM_COUNT ? sum : t.kind == SIM_AND ? sum == total : sum > 0;
        ready(order[k]);
    }
}

static void report_deadlock() {
    Finding f = finding(DEADLOCK);
    int barrier = -1, collective = -1;
    for (int i = 0; i < context->total; i++) {
        if (exited[i]) continue;
        (threads[i].state == AT_BARRIER ? barrier : collective) = i;
    }
    if (collective >= 0) {
        f.who = who(collective);
        f.line = threads[collective].place.line;
        f.file = threads[collective].place.file;
        f.mask = threads[collective].mask;
    }
    if (barrier >= 0) {
        f.other = who(barrier);
        f.other_line = threads[barrier].place.line;
    }
    report(f, true);
}

// On a fiber that cannot go on: choose who runs next.
static void dispatch() {
    for (;;) {
        if (head < queue.size()) {
            if (mode.schedule == RANDOM) std::swap(queue[head], queue[head + random_numbers() % (queue.size() - head)]);
            int thread = queue[head++];
            if (head == queue.size()) {
                queue.clear();
                head = 0;
            }
            context->current = thread;
            context->thread = context->index[thread];
            if (threads[thread].fiber != running) go(threads[thread].fiber);
            return;
        }
        if (context->next < context->total) return start_fiber();
        if (context->live == 0) return go(&main_fiber);
        if (at_barrier == context->live) {
            release_barrier();
            continue;
        }
        bool any = false;
        for (int warp = 0; warp * 32 < context->total; warp++) any |= resolve_warp(warp);
        if (!any) report_deadlock();
    }
}

void wait() {
    threads[context->current].fiber = running;
    dispatch();
}

// ---- what the processor refuses: the kernel stops, not the program

static volatile sig_atomic_t launching;
static thread_local bool launcher;
static struct sigaction previous[NSIG];
static volatile sig_atomic_t caught;

static void on_signal(int number, siginfo_t *, void *) {
    if (launching && launcher) {
        caught = number;
        siglongjmp(escape, 1);
    }
    sigaction(number, &previous[number], nullptr);      // not ours: it comes again, to whom it concerns
}

static void catch_signals() {
    static thread_local bool stack_set = false;
    if (!stack_set) {
        stack_t stack = {};
        stack.ss_size = 64 * 1024;
        stack.ss_sp = malloc(stack.ss_size);
        sigaltstack(&stack, nullptr);
        stack_set = true;
    }
    static bool set = false;
    if (set) return;
    set = true;
    struct sigaction action = {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigaction(number, &action, &previous[number]);
}

static void report_crash() {
    Finding f = finding(CRASH);
    f.who = me();
    snprintf(f.text, sizeof f.text, "%s", caught == SIGFPE ? "an integer division by zero" : caught == SIGILL
             ? "an instruction that does not exist" : "an access to memory that is not there");
    failed = true;
    report(f, false);
}

static void run_block(uint3 block) {
    context->block = block;
    context->next = 0;
    context->live = context->total;
    at_barrier = 0;
    queue.clear();
    head = 0;
    epoch++;
    spins = 0;
    memset(exited.data(), 0, exited.size());
    for (int i = 0; i < code->shared_count; i++)
        memset((void *)code->shared[i].low, 0xff, code->shared[i].high - code->shared[i].low);
    if (mode.schedule == RANDOM) std::shuffle(order.begin(), order.end(), random_numbers);
    if (mode.checked) begin_block_checks(block);
    running = &main_fiber;
    start_fiber();
    running = &main_fiber;
    if (mode.profile && !failed) end_block_profile();
}

static void run_grid(dim3 grid, size_t dynamic_bytes) {
    uint64_t blocks = (uint64_t)grid.x * grid.y * grid.z;
    for (uint64_t i = 0; i < blocks && !failed; i++) {
        uint64_t k = mode.schedule == REVERSE ? blocks - 1 - i : i;
        if (dynamic_bytes) memset(code->dynamic, 0xff, dynamic_bytes);
        run_block({(unsigned)(k % grid.x), (unsigned)(k / grid.x % grid.y), (unsigned)(k / grid.x / grid.y)});
    }
}

static void set_block_dim(dim3 dim) {
    int total = (int)(dim.x * dim.y * dim.z);
    if (dim.x == index_dim.x && dim.y == index_dim.y && dim.z == index_dim.z) return;
    index_dim = dim;
    index_of.resize(total);
    for (int i = 0; i < total; i++)
        index_of[i] = {i % dim.x, i / dim.x % dim.y, i / dim.x / dim.y};
}

}

using namespace sim;

extern "C" {

// Launch a kernel with its packed arguments: 0, or 1 if it failed. Bit 1: something was printed.
int sim_launch(const KernelCode *kernel, char *args, const unsigned *size, const Region *regions, int region_count,
               const Mode *how) {
    dim3 grid(size[0], size[1], size[2]), block(size[3], size[4], size[5]);
    size_t dynamic_bytes = size[6];
    int total = (int)(block.x * block.y * block.z);
    code = kernel;
    mode = *how;
    context = kernel->context;
    arguments = args;
    failed = false;
    set_block_dim(block);
    if ((int)threads.size() < total) threads.resize(total);
    exited.resize(total);
    order.resize(total);
    for (int i = 0; i < total; i++) order[i] = mode.schedule == REVERSE ? total - 1 - i : i;
    warp_epochs.assign((total + 31) / 32, 0);
    if (mode.schedule == RANDOM) random_numbers.seed(mode.seed);
    context->grid_dim = grid;
    context->block_dim = block;
    context->total = total;
    context->order = order.data();
    context->index = index_of.data();
    context->exited = exited.data();
    if (mode.checked) begin_checks(regions, region_count, dynamic_bytes);
    if (mode.profile) begin_profile(total);
    catch_signals();
    launcher = true;
    int escaped = sigsetjmp(escape, 1);
    if (escaped == 0) {
        launching = 1;
        run_grid(grid, dynamic_bytes);
    } else if (escaped == 1) {
        report_crash();
    }
    launching = 0;
    launcher = false;
    mode.checked = 0;                        // instrumented code also runs when a module is loaded
    if (failed) {
        free_all_fibers();
        for (Thread &t : threads) t.state = RUNNING;
    }
    return (failed ? 1 : 0) | (printed.empty() ? 0 : 2);
}

int sim_barrier(SimPlace place, int kind, int predicate) {
    int current = context->current;
    Thread &t = threads[current];
    t.state = AT_BARRIER;
    t.place = place;
    t.kind = kind;
    t.predicate = predicate;
    at_barrier++;
    wait();
    return threads[current].result;
}

void sim_trap(SimPlace place, const char *what) {
    Finding f = finding(TRAP, place);
    snprintf(f.text, sizeof f.text, "%s", what);
    report(f, true);
}

// A thread that waits for another by comparing and swapping: the other never runs, here as in a warp of old GPUs.
void sim_spin() {
    if (++spins < 5000000) return;
    spins = 0;
    report(finding(SPINNING), true);
}

int sim_printf(const char *format, ...) {
    va_list list;
    va_start(list, format);
    char line[1024];
    int count = vsnprintf(line, sizeof line, format, list);
    va_end(list);
    if (printed.size() < (1 << 20)) printed += line;      // CUDA's buffer is a megabyte too
    return count;
}

// What kernels printed since the last call, for the host to show; valid until the next launch.
const char *sim_printed() {
    static std::string shown;
    shown.swap(printed);
    printed.clear();
    return shown.c_str();
}

long long sim_clock() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

void *sim_allocate(size_t bytes, size_t guard) {
    size_t total = (bytes + 2 * guard + 255) / 256 * 256;
    char *base = (char *)aligned_alloc(256, total);
    if (base) memset(base, 0xff, total);
    return base ? base + guard : nullptr;
}
void sim_release(void *block, size_t guard) { free((char *)block - guard); }

}
