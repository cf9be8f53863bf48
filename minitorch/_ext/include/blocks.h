/* The caching allocator: 64-byte aligned blocks, freed ones kept by size class for the next request.
 * Sizes round up to a multiple of 64 bytes, from 1 KiB on to a quarter of a power of two, so at most a fifth is
 * wasted.  A freed block holds the link of its list.  The GIL protects the lists: storages are made and dropped
 * by Python objects only. */
#ifndef MT_BLOCKS_H
#define MT_BLOCKS_H
#include <stdint.h>
#include <stdlib.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#define MT_ALIGNMENT 64
#define MT_SMALL_CLASSES 16                      /* 64, 128 ... 1024 bytes */
#define MT_CLASSES (MT_SMALL_CLASSES + 4 * 36)   /* up to 2^46 bytes */
#define MT_HUGE_PAGE ((size_t)2 << 20)

typedef struct mt_block { struct mt_block *next; } mt_block;
typedef struct { int64_t allocated, peak, cached, limit, allocations, reused; } mt_memory;

static mt_block *mt_free_lists[MT_CLASSES];
static mt_memory mt_stats;

static inline int mt_class_of(size_t bytes) {
    if (bytes <= 1024) return bytes ? (int)((bytes - 1) >> 6) : 0;
    int log = 63 - __builtin_clzll(bytes - 1);             /* 2^log < bytes <= 2^(log+1) */
    return MT_SMALL_CLASSES + 4 * (log - 10) + (int)(((bytes - 1) >> (log - 2)) & 3);
}

static inline size_t mt_class_size(int k) {
    if (k < MT_SMALL_CLASSES) return (size_t)(k + 1) << 6;
    int log = 10 + (k - MT_SMALL_CLASSES) / 4, quarter = (k - MT_SMALL_CLASSES) % 4;
    return ((size_t)(4 + quarter + 1)) << (log - 2);
}

static void mt_empty_cache(void) {
    for (int k = 0; k < MT_CLASSES; k++)
        while (mt_free_lists[k]) {
            mt_block *block = mt_free_lists[k];
            mt_free_lists[k] = block->next;
            free(block);
        }
    mt_stats.cached = 0;
}

static void *mt_new_block(size_t size) {
    void *block = NULL;
    size_t alignment = size >= 2 * MT_HUGE_PAGE ? MT_HUGE_PAGE : MT_ALIGNMENT;
    if (posix_memalign(&block, alignment, size)) return NULL;
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (alignment == MT_HUGE_PAGE) madvise(block, size, MADV_HUGEPAGE);   /* fewer page faults; a wish only */
#endif
    return block;
}

static inline void *mt_take_block(int k) {
    int64_t size = (int64_t)mt_class_size(k);
    void *block = mt_free_lists[k];
    if (block) {
        mt_free_lists[k] = ((mt_block *)block)->next;
        mt_stats.cached -= size;
        mt_stats.reused++;
    } else {
        block = mt_new_block(size);
        if (!block && mt_stats.cached) { mt_empty_cache(); block = mt_new_block(size); }
        if (!block) return NULL;
    }
    mt_stats.allocations++;
    mt_stats.allocated += size;
    if (mt_stats.allocated > mt_stats.peak) mt_stats.peak = mt_stats.allocated;
    return block;
}

static inline void mt_give_block(void *block, int k) {
    int64_t size = (int64_t)mt_class_size(k);
    mt_stats.allocated -= size;
#if !defined(__SANITIZE_ADDRESS__)                         /* a kept block would hide a use after free */
    if (mt_stats.cached + size <= mt_stats.limit) {
        ((mt_block *)block)->next = mt_free_lists[k];
        mt_free_lists[k] = (mt_block *)block;
        mt_stats.cached += size;
        return;
    }
#endif
    free(block);
}
#endif
