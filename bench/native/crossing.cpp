// The crossing: a native thread goes into Python and comes back, in nanoseconds, by each of the ways that there are.
//
// An extension module, because it stands for IcePy: its imports are what a redirect changes.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#include <Python.h>

#include <chrono>
#include <cstdint>
#include <thread>

namespace {

constexpr long warm_up = 1000;

/// Calls `cross` this many times on the calling thread; nanoseconds for each.
template <typename Cross>
double nanoseconds_each(long loops, Cross cross) {
    for (long i = 0; i < warm_up; ++i) {
        cross();
    }
    const auto begun = std::chrono::steady_clock::now();
    for (long i = 0; i < loops; ++i) {
        cross();
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begun;
    return took.count() / static_cast<double>(loops);
}

/// Has a new native thread do `measure(loops)` while the caller waits without the GIL: nobody else wants it.
template <typename Measure>
PyObject* on_native_thread(PyObject* argument, Measure measure) {
    const long loops = PyLong_AsLong(argument);
    if (PyErr_Occurred() != nullptr) {
        return nullptr;
    }
    double result = 0;
    PyThreadState* const waiting = PyEval_SaveThread();
    std::thread([&] { result = measure(loops); }).join();
    PyEval_RestoreThread(waiting);
    return PyFloat_FromDouble(result);
}

/// A thread state that is kept, attached and detached: nothing that crosses can do less.
PyObject* floor(PyObject*, PyObject* argument) {
    PyInterpreterState* const interpreter = PyInterpreterState_Get();
    return on_native_thread(argument, [interpreter](long loops) {
        PyThreadState* const state = PyThreadState_New(interpreter);
        const double result = nanoseconds_each(loops, [state] {
            PyEval_RestoreThread(state);
            PyEval_SaveThread();
        });
        PyEval_RestoreThread(state);
        PyThreadState_Clear(state);
        PyThreadState_DeleteCurrent();
        return result;
    });
}

/// What IcePy calls: CPython's functions, or icegil's when they are redirected.
PyObject* gilstate(PyObject*, PyObject* argument) {
    return on_native_thread(
        argument, [](long loops) { return nanoseconds_each(loops, [] { PyGILState_Release(PyGILState_Ensure()); }); });
}

#ifdef BENCH_HAS_VIEW
/// CPython's own answer from 3.15 on (PEP 788).
PyObject* view(PyObject*, PyObject* argument) {
    PyInterpreterView* const interpreter = PyInterpreterView_FromCurrent();
    if (interpreter == nullptr) {
        return nullptr;
    }
    PyObject* const result = on_native_thread(argument, [interpreter](long loops) {
        return nanoseconds_each(loops,
                                [interpreter] { PyThreadState_Release(PyThreadState_EnsureFromView(interpreter)); });
    });
    PyInterpreterView_Close(interpreter);
    return result;
}
#endif

PyObject* address(PyObject*, PyObject*) { return PyLong_FromVoidPtr(reinterpret_cast<void*>(&address)); }

PyMethodDef functions[] = {
    {"floor", floor, METH_O, "PyEval_RestoreThread and PyEval_SaveThread on a kept thread state."},
    {"gilstate", gilstate, METH_O, "PyGILState_Ensure and PyGILState_Release."},
#ifdef BENCH_HAS_VIEW
    {"view", view, METH_O, "PyThreadState_EnsureFromView and PyThreadState_Release."},
#endif
    {"address", address, METH_NOARGS, "An address in this module."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef module = {PyModuleDef_HEAD_INIT, "crossing", nullptr, -1, functions, nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit_crossing() { return PyModule_Create(&module); }
