/* The thread pool: one job at a time, cut into pieces that the workers and the caller claim one by one.
 *
 * A job is published by storing its *ticket*, a 64-bit word (generation | pieces | next piece).  Whoever moves
 * `next` forward by compare-and-swap owns that piece, and the job cannot end before the piece is done, so its
 * fields stay valid while the owner reads them.  A worker that wakes late finds no piece left and goes back to
 * sleep: the caller has done the work in the meantime, so a slow wake-up never delays a small job.
 *
 * Kernels come in bursts, so an idle worker spins for MT_SPIN_NS before it sleeps, and so does the caller that
 * waits for the last piece.  `busy` is the pool's only lock: who does not get it (a nested call, a second Python
 * thread) runs its job alone.  A fork waits for `busy`, so that the child's memory holds no half-done job; the
 * child has no workers and starts its own at first use.
 *
 * A task must not take the GIL: a fork waits for it with the GIL held.
 *
 * Included by threads.pyx alone: every object here exists once.
 */
#ifndef MT_POOL_H
#define MT_POOL_H

#include <stddef.h>
#include "mt_config.h"

typedef ptrdiff_t mt_index;
typedef void (*mt_task)(void *ctx, mt_index begin, mt_index end);

#if !MT_HAVE_THREADS

static int pool_size(void) { return 1; }
static int pool_workers(void) { return 0; }
static void pool_resize(int threads, int cpus) { (void)threads; (void)cpus; }
static void pool_close(void) {}
static int pool_init(void) { return 0; }
static void pool_run(mt_index n, mt_index grain, mt_task fn, void *ctx)
{
    (void)grain;
    if (n > 0) fn(ctx, 0, n);
}

#else

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

enum { MT_MAX_THREADS = 256, MT_SPIN_NS = 40000, MT_STACK_BYTES = 4 << 20 };

static struct {
    /* the job, valid while its ticket has unfinished pieces */
    mt_task fn;
    void *ctx;
    mt_index n;
    _Alignas(64) _Atomic uint64_t ticket;  /* generation << 32 | pieces << 16 | next */
    _Alignas(64) atomic_int unfinished;    /* pieces not yet done */
    atomic_int caller_waits;

    _Alignas(64) atomic_int busy;
    atomic_int sleepers;
    atomic_int quit;
    atomic_int size;  /* threads that may work, the caller among them */
    int workers;      /* threads started */
    atomic_int spin_ns;
    int closed;
    pthread_mutex_t mutex;
    pthread_cond_t work, done;
    pthread_t thread[MT_MAX_THREADS];
} pool = {.size = 1, .mutex = PTHREAD_MUTEX_INITIALIZER,
          .work = PTHREAD_COND_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};

static inline int pool_ticket_open(uint64_t ticket) { return (ticket & 0xffff) < (ticket >> 16 & 0xffff); }

static inline void pool_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb" ::: "memory");
#endif
}

static inline int64_t pool_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Spin until CONDITION or the time is up; the clock is read once in 16 pauses. */
#define POOL_SPIN_UNTIL(CONDITION)                                              \
    for (int64_t stop_ = pool.spin_ns ? pool_now() + pool.spin_ns : 0, i_ = 1;  \
         !(CONDITION) && stop_ && (i_ & 15 || pool_now() < stop_); i_++)        \
        pool_pause()

/* Wait until whoever is about to sleep either sleeps or has looked again; signalling it may follow. */
static void pool_settle(void)
{
    pthread_mutex_lock(&pool.mutex);
    pthread_mutex_unlock(&pool.mutex);
}

/* Claim and run pieces until none is left. */
static void pool_work(void)
{
    uint64_t ticket = atomic_load(&pool.ticket);
    while (pool_ticket_open(ticket)) {
        if (!atomic_compare_exchange_weak(&pool.ticket, &ticket, ticket + 1)) continue;
        mt_index piece = ticket & 0xffff, pieces = ticket >> 16 & 0xffff;
        mt_index each = pool.n / pieces, longer = pool.n % pieces;  /* the first `longer` have one more */
        mt_index begin = piece * each + (piece < longer ? piece : longer);
        pool.fn(pool.ctx, begin, begin + each + (piece < longer));
        if (atomic_fetch_sub(&pool.unfinished, 1) == 1 && atomic_load(&pool.caller_waits)) {
            pool_settle();
            pthread_cond_signal(&pool.done);
        }
        ticket = atomic_load(&pool.ticket);
    }
}

static void *pool_worker(void *unused)
{
#define POOL_CALLED (pool_ticket_open(atomic_load(&pool.ticket)) || atomic_load(&pool.quit))
    for (;;) {
        POOL_SPIN_UNTIL(POOL_CALLED);
        if (!POOL_CALLED) {
            pthread_mutex_lock(&pool.mutex);
            atomic_fetch_add(&pool.sleepers, 1);  /* before the last look: the caller publishes, then counts */
            while (!POOL_CALLED) pthread_cond_wait(&pool.work, &pool.mutex);
            atomic_fetch_sub(&pool.sleepers, 1);
            pthread_mutex_unlock(&pool.mutex);
        }
        if (atomic_load(&pool.quit)) return unused;
        pool_work();
    }
#undef POOL_CALLED
}

/* Bring the workers up to size - 1; whatever the system refuses, the others do without. */
static void pool_start_workers(void)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    if (pthread_attr_init(&attributes)) return;
    pthread_attr_setstacksize(&attributes, MT_STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);  /* signals belong to Python's threads */
    while (pool.workers < pool.size - 1 &&
           !pthread_create(&pool.thread[pool.workers], &attributes, pool_worker, NULL)) pool.workers++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
}

static void pool_stop_workers(void)
{
    pthread_mutex_lock(&pool.mutex);
    atomic_store(&pool.quit, 1);
    pthread_cond_broadcast(&pool.work);
    pthread_mutex_unlock(&pool.mutex);
    while (pool.workers) pthread_join(pool.thread[--pool.workers], NULL);
    atomic_store(&pool.quit, 0);
}

static inline int pool_try_acquire(void)
{
    int free = 0;
    return atomic_load_explicit(&pool.busy, memory_order_relaxed) == 0 &&
           atomic_compare_exchange_strong(&pool.busy, &free, 1);
}

static void pool_acquire(void)
{
    while (!pool_try_acquire()) sched_yield();
}

static void pool_release(void) { atomic_store(&pool.busy, 0); }

/* Publish a job of several pieces, work on it, and wait for the pieces others took. */
static void pool_dispatch(mt_index n, mt_index pieces, mt_task fn, void *ctx)
{
    pool.fn = fn, pool.ctx = ctx, pool.n = n;
    atomic_store(&pool.unfinished, (int)pieces);
    uint64_t generation = (atomic_load(&pool.ticket) >> 32) + 1;
    atomic_store(&pool.ticket, generation << 32 | (uint64_t)pieces << 16);
    if (atomic_load(&pool.sleepers)) {
        pool_settle();
        for (mt_index i = 1; i < pieces; i++) pthread_cond_signal(&pool.work);
    }
    pool_work();
    POOL_SPIN_UNTIL(atomic_load(&pool.unfinished) == 0);
    if (atomic_load(&pool.unfinished)) {
        pthread_mutex_lock(&pool.mutex);
        atomic_store(&pool.caller_waits, 1);
        while (atomic_load(&pool.unfinished)) pthread_cond_wait(&pool.done, &pool.mutex);
        atomic_store(&pool.caller_waits, 0);
        pthread_mutex_unlock(&pool.mutex);
    }
}

/* Call fn on contiguous pieces of [0, n), at most one a thread and none below `grain`. */
static void pool_run(mt_index n, mt_index grain, mt_task fn, void *ctx)
{
    if (n <= 0) return;
    mt_index pieces = n / (grain > 0 ? grain : 1);
    if (pieces > pool.size) pieces = pool.size;
    if (pieces < 2 || !pool_try_acquire()) {
        fn(ctx, 0, n);
        return;
    }
    if (pool.workers < pool.size - 1 && !pool.closed) pool_start_workers();
    if (pieces > pool.size) pieces = pool.size;  /* resized since */
    if (pool.workers == 0 || pieces < 2) fn(ctx, 0, n);
    else pool_dispatch(n, pieces, fn, ctx);
    pool_release();
}

static int pool_size(void) { return pool.size; }
static int pool_workers(void) { return pool.workers; }

/* Have `threads` threads work, on a machine that lets us have `cpus` of them at a time. */
static void pool_resize(int threads, int cpus)
{
    pool_acquire();
    if (pool.workers > threads - 1) pool_stop_workers();
    pool.size = threads < MT_MAX_THREADS ? threads : MT_MAX_THREADS;
    pool.spin_ns = threads <= cpus ? MT_SPIN_NS : 0;  /* who spins without a core of its own delays the others */
    pool_release();
}

/* At interpreter exit: join the workers; later jobs run in their callers. */
static void pool_close(void)
{
    pool_acquire();
    pool_stop_workers();
    pool.closed = 1;
    pool_release();
}

static void pool_child(void)
{
    pthread_mutex_init(&pool.mutex, NULL);  /* a worker may have held it when the process was copied */
    pthread_cond_init(&pool.work, NULL);
    pthread_cond_init(&pool.done, NULL);
    atomic_store(&pool.sleepers, 0);
    pool.workers = 0;
    pool_release();
}

static int pool_init(void) { return pthread_atfork(pool_acquire, pool_release, pool_child); }

#endif
#endif
