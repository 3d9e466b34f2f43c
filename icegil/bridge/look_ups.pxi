# The modules that IcePy looks up by name, and what is kept of them for the end, when Python has none any more.
from cpython.ref cimport Py_INCREF, PyObject
from libc.string cimport strcmp

from icegil.bridge.interpreter cimport (
    Py_DecRef,
    Py_IncRef,
    Py_TYPE,
    PyDict_Check,
    PyDict_CheckExact,
    PyDict_Clear,
    PyDict_GetItem,
    PyDict_GetItemString,
    PyDict_New,
    PyDict_Next,
    PyDict_SetItem,
    PyDict_Update,
    PyErr_Clear,
    PyImport_GetModuleDict,
    PyImport_Import,
    PyModule_GetDict,
    PyModule_New,
    PyObject_GC_IsTracked,
    PyObject_GC_UnTrack,
    PyObject_SetAttr,
    PySys_GetObject,
    PyTuple_CheckExact,
    PyUnicode_AsUTF8,
    PyUnicode_FromString,
    PyUnicode_InternFromString,
)

cdef enum:
    NAMES = 1024

cdef PyObject* known_names[NAMES]  # under the GIL; what is in it stays
cdef PyObject* kept_modules = NULL
cdef PyObject* imported = PyDict_New()  # the modules that IcePy was answered, by name; empty once sealed


def keep_modules(dict modules, /):
    """Has IcePy answered from these, the names in each by its own, once the gate is sealed. Kept for good."""
    global kept_modules
    for names in modules.values():
        PyObject_GC_UnTrack(<PyObject*> names)  # held by `modules`, until a module takes its place
        for thing in (<dict> names).values():
            if keep(<PyObject*> thing) and isinstance(thing, type):
                Py_TYPE(thing).tp_traverse(thing, keep_part_of_class, NULL)
    Py_INCREF(modules)
    kept_modules = <PyObject*> modules
    PyDict_Clear(imported)


cdef bint keep(PyObject* thing) noexcept:
    # An exit is mostly the garbage collector walking through all there is, several times. What stays for good it need
    # not look at: it has a reference that nobody drops, so it is never garbage, and never freed. True: that is news.
    if not PyObject_GC_IsTracked(thing):
        return False
    Py_IncRef(thing)
    PyObject_GC_UnTrack(thing)
    return True


cdef int keep_part_of_class(PyObject* part, void* _) noexcept:
    # Its bases, and what it has by name; not what those refer to, which may be the program's and have an end to see.
    if PyTuple_CheckExact(part):
        keep(part)
    elif PyDict_CheckExact(part):
        keep(part)
        for thing in (<dict> part).values():
            keep(<PyObject*> thing)
    return 0


cdef PyObject* named(
    const char* name,
) noexcept nogil:
    # IcePy looks things up by C strings, some forty times for each call: it has Python make, hash and free the same few
    # names. Made once here. Two that share a place, and all once the gate is sealed, are made each time, as ever.
    cdef unsigned int place = 0
    cdef const char* character = name
    while character[0] != 0:
        place = 31 * place + <unsigned char> character[0]
        character += 1
    cdef PyObject** kept = &known_names[place % NAMES]
    if gate.state() == State.sealed:
        return PyUnicode_FromString(name)
    if kept[0] == NULL:
        kept[0] = PyUnicode_InternFromString(name)
        if kept[0] == NULL:
            return NULL
    elif strcmp(PyUnicode_AsUTF8(kept[0]), name) != 0:
        return PyUnicode_FromString(name)
    Py_IncRef(kept[0])
    return kept[0]


cdef PyObject* on_PyDict_GetItemString(
    PyObject* names_of_module,
    const char* name,
) noexcept nogil:
    cdef PyObject* key = named(name)
    cdef PyObject* found = NULL
    if key == NULL:
        PyErr_Clear()
        return NULL
    found = PyDict_GetItem(names_of_module, key)
    Py_DecRef(key)
    return found


cdef int on_PyObject_SetAttrString(
    PyObject* thing,
    const char* name,
    PyObject* value,
) noexcept nogil:
    cdef PyObject* key = named(name)
    cdef int error = -1
    if key != NULL:
        error = PyObject_SetAttr(thing, key, value)
        Py_DecRef(key)
    return error


cdef PyObject* on_PyImport_ImportModule(
    const char* name,
) noexcept nogil:
    # Called with the GIL: IcePy looks a class up, up to eight times for each call.
    cdef PyObject* key = named(name)
    cdef PyObject* module = NULL
    if key != NULL:
        module = kept_module(key, name) if gate.state() == State.sealed else imported_module(key)
        Py_DecRef(key)
    return module


cdef PyObject* kept_module(PyObject* name, const char* characters) noexcept nogil:
    # Once Python has emptied its modules its import answers NULL, and IcePy goes on with that. IcePy 3.7 looks into a
    # module that it has let go of: these stay too.
    cdef PyObject* kept = NULL
    cdef PyObject* module
    if kept_modules != NULL:
        kept = PyDict_GetItem(kept_modules, name)
    if kept == NULL:
        return PyImport_Import(name)
    if PyDict_Check(kept):
        module = PyModule_New(characters)
        if module != NULL and (
            PyDict_Update(PyModule_GetDict(module), kept) != 0 or PyDict_SetItem(kept_modules, name, module) != 0
        ):
            Py_DecRef(module)
            return NULL
        return module
    Py_IncRef(kept)
    return kept


cdef PyObject* on_PyImport_GetModuleDict() noexcept nogil:
    # IcePy 3.7 looks into `sys.modules` for a class, also when it is empty, or when there is none any more, for which
    # CPython ends the process (import.c). Answered with modules made of what was kept.
    cdef PyObject* name
    cdef PyObject* names
    cdef PyObject* module
    cdef Py_ssize_t position = 0
    cdef PyObject* python_has = PySys_GetObject("modules")
    if kept_modules == NULL or gate.state() != State.sealed or (
        python_has != NULL and PyDict_Check(python_has) and PyDict_GetItemString(python_has, "Ice") != NULL
    ):
        return PyImport_GetModuleDict()
    while PyDict_Next(kept_modules, &position, &name, &names):
        if PyDict_Check(names):  # a value may be replaced on the way, a key may not be added
            module = kept_module(name, PyUnicode_AsUTF8(name))
            Py_DecRef(module)
    return kept_modules


cdef PyObject* imported_module(PyObject* name) noexcept nogil:
    # Python's import takes ten times as long to find that it has the module. Where it finalizes unguarded there may be
    # no `sys.modules`. That one is looked into first: a key of another type may run Python, and what `imported` has is
    # borrowed.
    cdef PyObject* module = NULL
    if not Py_IsFinalizing():
        module = PyDict_GetItem(PyImport_GetModuleDict(), name)
    if module != NULL and module == PyDict_GetItem(imported, name):
        Py_IncRef(module)
        return module
    module = PyImport_Import(name)
    if module != NULL and PyDict_SetItem(imported, name, module) != 0:
        PyErr_Clear()  # it is looked up again the next time
    return module
