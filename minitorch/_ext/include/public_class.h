/* What makes a Python subclass of an engine's class as cheap as that class.
 *
 * Python gives each class that is written in it general ways: operators that look methods up by name, room for a dict of
 * attributes that it fills at once, instances from the general allocator, dropped by a general walk over the class's
 * bases.  For the one class that all tensors are of, these are replaced by the engine's own.  Subclasses of it get the
 * general ways again, but for the dict. */
#ifndef MT_PUBLIC_CLASS_H
#define MT_PUBLIC_CLASS_H
#include <Python.h>

/* The operators, which Cython gives a class as methods too: a Python subclass would find those first. */
static void mt_inherit_operators(PyObject *to_, PyObject *from_) {
    PyTypeObject *to = (PyTypeObject *)to_, *from = (PyTypeObject *)from_;
    *to->tp_as_number = *from->tp_as_number;
    *to->tp_as_mapping = *from->tp_as_mapping;
    to->tp_richcompare = from->tp_richcompare;
    PyType_Modified(to);
}

/* The dict of what users set as attributes: made by Python when something is set, at a place that the class has for it.
 * Cython's `__dict__` would be made with each instance. */
static Py_ssize_t mt_attributes_at;
static traverseproc mt_engine_traverse;
static inquiry mt_engine_clear;
static destructor mt_engine_dealloc;
#define MT_ATTRIBUTES(instance) (*(PyObject **)((char *)(instance) + mt_attributes_at))

static int mt_traverse(PyObject *instance, visitproc visit, void *arg) {
    Py_VISIT(MT_ATTRIBUTES(instance));
    return mt_engine_traverse(instance, visit, arg);
}

static int mt_clear(PyObject *instance) {
    Py_CLEAR(MT_ATTRIBUTES(instance));
    return mt_engine_clear(instance);
}

static void mt_dealloc(PyObject *instance) {
    if (MT_ATTRIBUTES(instance)) {
        PyObject_GC_UnTrack(instance);
        Py_CLEAR(MT_ATTRIBUTES(instance));
    }
    mt_engine_dealloc(instance);
}

/* To be called before there are subclasses, which inherit all this. */
static void mt_give_attributes(PyObject *cls_, Py_ssize_t at) {
    PyTypeObject *cls = (PyTypeObject *)cls_;
    mt_attributes_at = cls->tp_dictoffset = at;
    mt_engine_traverse = cls->tp_traverse;
    mt_engine_clear = cls->tp_clear;
    mt_engine_dealloc = cls->tp_dealloc;
    cls->tp_traverse = mt_traverse;
    cls->tp_clear = mt_clear;
    cls->tp_dealloc = mt_dealloc;
    PyType_Modified(cls);
}

/* Instances: those of the engine's class, which Cython keeps for the next when they are dropped, with another class. */
static PyTypeObject *mt_engine_class, *mt_public_class;

static PyObject *mt_new_instance(PyObject *no_arguments) {
    PyObject *instance = mt_engine_class->tp_new(mt_engine_class, no_arguments, NULL);
    if (instance) {
        Py_INCREF(mt_public_class);                             /* as instances of Python's classes do */
        Py_SET_TYPE(instance, mt_public_class);
    }
    return instance;
}

static void mt_drop_instance(PyObject *instance) {
    PyTypeObject *cls = Py_TYPE(instance);
    if (cls == mt_public_class) Py_SET_TYPE(instance, mt_engine_class);     /* else of a subclass */
    mt_dealloc(instance);
    Py_DECREF(cls);
}

/* Make instances of `public_` so, which must be as large as those of the engine's class. */
static void mt_set_public_class(PyObject *public_, PyObject *engine) {
    mt_public_class = (PyTypeObject *)public_;
    mt_engine_class = (PyTypeObject *)engine;
    mt_public_class->tp_dealloc = mt_drop_instance;
}
#endif
