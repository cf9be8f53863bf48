/* Instances of one class that were dropped, kept for the next ones.
 *
 * It is what Cython's `freelist` does, which is for classes without a base.  For the one class of a module that is made
 * and dropped by the hundred in each step. */
#ifndef MT_KEPT_H
#define MT_KEPT_H
#include <Python.h>
#include <string.h>

enum { MT_KEPT = 256 };
static PyObject *mt_kept[MT_KEPT];
static int mt_kept_count = 0;

static PyObject *mt_alloc_kept(PyTypeObject *type, Py_ssize_t items) {
    PyObject *instance;
    if (mt_kept_count == 0) return PyType_GenericAlloc(type, items);
    instance = mt_kept[--mt_kept_count];
    memset(instance, 0, (size_t)type->tp_basicsize);
    (void)PyObject_INIT(instance, type);
    PyObject_GC_Track(instance);
    return instance;
}

static void mt_free_kept(void *instance) {
    if (mt_kept_count < MT_KEPT) mt_kept[mt_kept_count++] = (PyObject *)instance;
    else PyObject_GC_Del(instance);
}

/* From now on; the class must be final. */
static void mt_keep_instances(PyObject *cls) {
#ifndef Py_GIL_DISABLED
    ((PyTypeObject *)cls)->tp_alloc = mt_alloc_kept;
    ((PyTypeObject *)cls)->tp_free = mt_free_kept;
#endif
}
#endif
