// How the run time calls a kernel: its arguments lie one behind the other in a buffer, each at its alignment.
#pragma once

#if MINITORCH_SIM_CHECK
#define SIM_UNSEEN __attribute__((no_sanitize("thread", "undefined")))
#else
#define SIM_UNSEEN
#endif

struct SimParameter { int pointer, constant, kind, size, offset; };

struct SimEntry {
    const char *name;
    void (*worker)(char *);
    void *kernel;                                   // its code: tells its symbol, and so its shared variables
    const SimParameter *parameters;
    int count, bytes;
};

namespace sim {
template <size_t... I> struct sequence {};
#if defined(__clang__)
template <class T, T... I> struct sequence_of { typedef sequence<I...> type; };
template <size_t N> using indices = typename __make_integer_seq<sequence_of, size_t, N>::type;
#else
template <size_t N> using indices = sequence<__integer_pack(N)...>;
#endif

// kind: 'f' float, 'i' signed, 'u' unsigned, 'b' bool, 'p' pointer, 'v' void, 's' anything else
template <class T> struct kind { enum { code = 's', size = sizeof(T) }; };
template <class T> struct kind<T *> { enum { code = 'p', size = sizeof(T *) }; };
template <> struct kind<void> { enum { code = 'v', size = 1 }; };
#define SIM_KIND(T, letter) template <> struct kind<T> { enum { code = letter, size = sizeof(T) }; };
SIM_KIND(float, 'f') SIM_KIND(double, 'f') SIM_KIND(bool, 'b') SIM_KIND(char, 'i') SIM_KIND(signed char, 'i')
SIM_KIND(unsigned char, 'u') SIM_KIND(short, 'i') SIM_KIND(unsigned short, 'u') SIM_KIND(int, 'i')
SIM_KIND(unsigned, 'u') SIM_KIND(long, 'i') SIM_KIND(unsigned long, 'u') SIM_KIND(long long, 'i')
SIM_KIND(unsigned long long, 'u')
template <class T> struct bare { typedef T type; };
template <class T> struct bare<const T> { typedef T type; };
template <class T> struct bare<volatile T> { typedef T type; };
template <class T> struct bare<const volatile T> { typedef T type; };
template <class T> struct is_const { enum { value = 0 }; };
template <class T> struct is_const<const T> { enum { value = 1 }; };
template <class T> struct described { enum { pointer = 0, constant = 0, code = kind<T>::code, size = kind<T>::size }; };
template <class T> struct described<T *> {
    typedef kind<typename bare<T>::type> target;
    enum { pointer = 1, constant = is_const<T>::value, code = target::code, size = target::size };
};

template <auto Kernel> struct Launch;
template <class... A, void (*Kernel)(A...)> struct Launch<Kernel> {
    static constexpr int count = sizeof...(A);
    struct Layout {
        SimParameter parameter[count + 1];
        int bytes;
        constexpr Layout() : parameter{}, bytes(0) {
            int i = 0;
            ((parameter[i] = SimParameter{described<typename bare<A>::type>::pointer,
                                          described<typename bare<A>::type>::constant,
                                          described<typename bare<A>::type>::code,
                                          described<typename bare<A>::type>::size,
                                          (int)((bytes + alignof(A) - 1) / alignof(A) * alignof(A))},
              bytes = parameter[i].offset + (int)sizeof(A), i++), ...);
        }
    };
    static constexpr Layout layout = Layout();

    // Runs threads that have not started until there are none: all of a block where nobody waits for another. A thread
    // that waits leaves its fiber there, and the next one starts on a fiber of its own, in this loop again.
    template <size_t... I> static SIM_UNSEEN void run(char *args, sequence<I...>) {
        SimContext &context = sim_context;
        while (context.next < context.total) {
            int thread = context.order[context.next++];
            context.current = thread;
            context.thread = context.index[thread];
            Kernel(*reinterpret_cast<typename bare<A>::type *>(args + layout.parameter[I].offset)...);
            context.exited[context.current] = 1;
            context.live--;
        }
    }
    static SIM_UNSEEN void worker(char *args) { run(args, indices<sizeof...(A)>()); }
};
}
#define SIM_ENTRY(name, ...) \
    SimEntry{name, sim::Launch<(__VA_ARGS__)>::worker, (void *)(__VA_ARGS__), \
             sim::Launch<(__VA_ARGS__)>::layout.parameter, sim::Launch<(__VA_ARGS__)>::count, \
             sim::Launch<(__VA_ARGS__)>::layout.bytes}
