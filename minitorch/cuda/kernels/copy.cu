// Copying between strided tensors, with conversion, and filling.

// The same type: its bytes, whatever they mean.
template <typename S> __global__ void copy_same(S *out, const S *x, Walk walk) {
    EACH(i, walk.numel) {
        int64_t at[2];
        walk_to<2>(walk, i, at);
        *(S *)((char *)out + at[0]) = *(const S *)((const char *)x + at[1]);
    }
}

// Different types, through T: int64_t where the source has whole numbers, double else.
template <typename T> __global__ void copy_converted(void *out, const void *x, Walk walk, int out_code, int code) {
    EACH(i, walk.numel) {
        int64_t at[2];
        walk_to<2>(walk, i, at);
        store_as<T>((char *)out + at[0], out_code, load_as<T>((const char *)x + at[1], code));
    }
}

template <typename T> __global__ void fill(void *out, Walk walk, int code, T value) {
    EACH(i, walk.numel) {
        int64_t at[1];
        walk_to<1>(walk, i, at);
        store_as<T>((char *)out + at[0], code, value);
    }
}
