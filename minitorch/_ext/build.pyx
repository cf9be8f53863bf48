"""How the engine was built, for ``minitorch doctor``."""

cdef extern from "build.h" nogil:
    const char *MT_BUILD_INFO
    const int MT_HAVE_CLONES
    const int MT_HAVE_THREADS
    const int MT_HAVE_BLAS
    const int MT_SANITIZED
    const char *mt_instruction_set()

cdef extern from *:
    const unsigned long CYTHON_HEX_VERSION


def build_info():
    """The compiler, its flags, the switches of the build, and the instruction set chosen for this processor."""
    cdef unsigned long version = CYTHON_HEX_VERSION
    return {
        "compiled": MT_BUILD_INFO.decode(),
        "cython": f"{version >> 24}.{version >> 16 & 0xff}.{version >> 8 & 0xff}",
        "instruction_set": mt_instruction_set().decode(),
        "clones": bool(MT_HAVE_CLONES),
        "threads": bool(MT_HAVE_THREADS),
        "blas": bool(MT_HAVE_BLAS),
        "sanitized": bool(MT_SANITIZED),
    }
