// What a warp asks of memory in one instruction: sectors of 32 bytes in global memory, conflicting banks in shared.
//
// Accesses are grouped by instruction and by how often the thread has been there: the n-th time that lane 0 is there
// counts as the same request as the n-th time that lane 1 is.
#include <algorithm>
#include <map>
#include <unordered_map>

#include "device.h"

namespace sim {

struct Record { uintptr_t pc, address; uint16_t size; uint8_t write, shared; };

struct Profile {
    uint64_t pc;
    int64_t requests, lanes, sectors, ideal, ways;      // ways: how many times a request must be repeated, summed
    int shared, write, size;
};

static std::vector<std::vector<Record>> records;        // by thread of the block
static std::map<uintptr_t, Profile> profiles;

void begin_profile(int threads) {
    profiles.clear();
    records.assign(threads, {});
}

void record_access(uintptr_t pc, uintptr_t address, int size, bool write, bool shared) {
    records[context->current].push_back({pc, address, (uint16_t)size, write, shared});
}

static size_t distinct(std::vector<uintptr_t> &values) {
    std::sort(values.begin(), values.end());
    return (size_t)(std::unique(values.begin(), values.end()) - values.begin());
}

static void count_sectors(Profile &p, const std::vector<Record> &request) {
    std::vector<uintptr_t> sectors, bytes;
    for (const Record &r : request) {
        for (uintptr_t s = r.address / 32; s <= (r.address + r.size - 1) / 32; s++) sectors.push_back(s);
        for (int b = 0; b < r.size; b++) bytes.push_back(r.address + b);
    }
    p.sectors += (int64_t)distinct(sectors);
    p.ideal += (int64_t)(distinct(bytes) + 31) / 32;    // the same bytes, had they been neighbours
}

// Lanes that want different words of one bank wait for each other; wide accesses go by halves or quarters of a warp.
static void count_banks(Profile &p, const std::vector<Record> &request) {
    size_t lanes = request[0].size <= 4 ? 32 : request[0].size == 8 ? 16 : 8;
    for (size_t first = 0; first < request.size(); first += lanes) {
        std::vector<uintptr_t> banks[32];
        for (size_t i = first; i < std::min(request.size(), first + lanes); i++)
            for (int b = 0; b < std::max<int>(request[i].size, 4); b += 4)
                banks[(request[i].address + b) / 4 % 32].push_back((request[i].address + b) / 4);
        size_t ways = 1;
        for (auto &bank : banks) ways = std::max(ways, distinct(bank));
        p.ways += (int64_t)ways;
        p.ideal += 1;
    }
}

void end_block_profile() {
    for (int warp = 0; warp * 32 < context->total; warp++) {
        std::map<std::pair<uintptr_t, int>, std::vector<Record>> requests;
        for (int t = warp * 32; t < std::min(warp * 32 + 32, context->total); t++) {
            std::unordered_map<uintptr_t, int> visits;
            for (const Record &r : records[t]) requests[{r.pc, visits[r.pc]++}].push_back(r);
        }
        for (auto &[key, request] : requests) {
            Profile &p = profiles[key.first];
            p.pc = key.first;
            p.requests++;
            p.lanes += (int64_t)request.size();
            p.shared = request[0].shared;
            p.write = request[0].write;
            p.size = request[0].size;
            if (p.shared) count_banks(p, request);
            else count_sectors(p, request);
        }
    }
    for (auto &r : records) r.clear();
}

}

using namespace sim;

extern "C" {
int sim_profile_count() { return (int)profiles.size(); }
void sim_profile(int i, Profile *out) {
    auto at = profiles.begin();
    std::advance(at, i);
    *out = at->second;
}
}
