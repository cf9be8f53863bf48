// Fibers: stacks of their own, switched by a dozen instructions.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#if !defined(__x86_64__) && !defined(__aarch64__)
#define SIM_UCONTEXT 1
#include <ucontext.h>
#endif

namespace sim {

constexpr size_t stack_bytes = 256 * 1024;

struct Fiber {
    char *stack = nullptr;      // its lowest page is not accessible
    void *top = nullptr;        // where its registers are, while it does not run
    size_t stagger = 0;
#ifdef SIM_UCONTEXT
    ucontext_t state;
#endif
    bool holds(uintptr_t address) const { return address - (uintptr_t)stack < stack_bytes; }
};

void switch_fiber(Fiber &from, Fiber &to);
Fiber *new_fiber(void (*body)());      // one that will begin with `body`, which never returns
void free_fiber(Fiber *);              // for `new_fiber` to use again
void free_all_fibers();

}
