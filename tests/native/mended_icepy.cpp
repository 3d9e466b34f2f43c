// Plays an IcePy that is mended: it gives the reference to a call's future that is one too many back by itself, where
// it has stored the future, and before anybody else could. Loaded by tests/test_ownership.py, which has IcePy's import
// of `PyObject_GetAttrString` lead here, and hands over what it led to.
#include <cstring>

struct PyObject;
extern "C" {
void Py_DecRef(PyObject*);

using GetAttrString = PyObject* (*)(PyObject*, const char*);
GetAttrString next = nullptr;

PyObject* mended_PyObject_GetAttrString(PyObject* thing, const char* name) {
    static thread_local PyObject* future = nullptr;  // the last that IcePy has told of its request
    if (std::strcmp(name, "set_sent") == 0) {
        future = thing;
    } else if (std::strcmp(name, "eventLoopAdapter") == 0 && future != nullptr) {
        Py_DecRef(future);
        future = nullptr;
    }
    return next(thing, name);
}
}
