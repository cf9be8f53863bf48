// What went wrong, kept for the host: once a kind and place, with how often.
#include <cstring>

#include "device.h"

namespace sim {

static std::vector<Finding> findings;

Finding finding(Kind kind, SimPlace place) {
    Finding f = {};
    f.kind = kind;
    f.line = place.line;
    f.file = place.file;
    f.argument = f.variable = -1;
    f.count = 1;
    f.who = me();
    return f;
}

static bool alike(const Finding &a, const Finding &b) {
    return a.kind == b.kind && a.pc == b.pc && a.line == b.line && a.argument == b.argument && a.variable == b.variable;
}

void report(const Finding &f, bool fatal) {
    bool known = false;
    for (Finding &old : findings)
        if (!known && alike(old, f)) {
            old.count++;
            known = true;
        }
    if (!known) findings.push_back(f);
    if (fatal || !mode.keep_going) {
        if (!failed) stop();
    }
}

}

using namespace sim;

extern "C" {
int sim_finding_count() { return (int)findings.size(); }
const Finding *sim_finding(int i) { return &findings[i]; }
void sim_forget() { findings.clear(); }
}
