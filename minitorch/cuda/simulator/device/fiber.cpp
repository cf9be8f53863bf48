#include "fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#if defined(__x86_64__)
// Save what a call must preserve, change stacks, restore.
extern "C" void sim_switch(void **from, void *to);
asm(R"(
.text
.hidden sim_switch
.globl sim_switch
.type sim_switch, @function
sim_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size sim_switch, .-sim_switch
)");
#elif defined(__aarch64__)
extern "C" void sim_switch(void **from, void *to);
asm(R"(
.text
.hidden sim_switch
.globl sim_switch
.type sim_switch, %function
sim_switch:
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
.size sim_switch, .-sim_switch
)");
#endif

namespace sim {

static std::vector<Fiber *> all, unused;

void switch_fiber(Fiber &from, Fiber &to) {
#ifdef SIM_UCONTEXT
    swapcontext(&from.state, &to.state);
#else
    sim_switch(&from.top, to.top);
#endif
}

Fiber *new_fiber(void (*body)()) {
    Fiber *fiber;
    if (!unused.empty()) {
        fiber = unused.back();
        unused.pop_back();
    } else {
        void *stack = mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                           -1, 0);
        if (stack == MAP_FAILED) return nullptr;
        fiber = new Fiber;
        fiber->stack = (char *)stack;
        mprotect(stack, (size_t)sysconf(_SC_PAGESIZE), PROT_NONE);
        fiber->stagger = all.size() % 251 * 192;      // or all tops would fall into the same sets of the cache
        all.push_back(fiber);
    }
#ifdef SIM_UCONTEXT
    getcontext(&fiber->state);
    fiber->state.uc_stack.ss_sp = fiber->stack;
    fiber->state.uc_stack.ss_size = stack_bytes - fiber->stagger;
    fiber->state.uc_link = nullptr;
    makecontext(&fiber->state, body, 0);
#else
    void **top = (void **)(fiber->stack + stack_bytes - 64 - fiber->stagger);
#if defined(__x86_64__)
    *--top = nullptr;                                 // where `body` would return to; aligns its stack
    *--top = (void *)body;
    for (int i = 0; i < 6; i++) *--top = nullptr;
#else
    top -= 20;
    for (int i = 0; i < 20; i++) top[i] = nullptr;
    top[11] = (void *)body;                           // x30
#endif
    fiber->top = top;
#endif
    return fiber;
}

void free_fiber(Fiber *fiber) { unused.push_back(fiber); }
void free_all_fibers() { unused = all; }

}
