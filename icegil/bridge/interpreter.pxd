# What the bridge uses of CPython, and what differs between CPython's versions.
from cpython.ref cimport PyObject


cdef extern from "Python.h" nogil:
    ctypedef enum PyGILState_STATE:
        PyGILState_UNLOCKED
    ctypedef struct PyThreadState:
        pass
    PyThreadState* PyEval_SaveThread() noexcept
    PyThreadState* PyGILState_GetThisThreadState() noexcept
    PyGILState_STATE PyGILState_Ensure() noexcept
    void PyGILState_Release(PyGILState_STATE) noexcept
    void PyEval_RestoreThread(PyThreadState*) noexcept
    void PyThreadState_Clear(PyThreadState*) noexcept
    void PyThreadState_DeleteCurrent() noexcept
    PyObject* PyImport_Import(PyObject*) noexcept
    PyObject* PyImport_GetModuleDict() noexcept
    PyObject* PyUnicode_FromString(const char*) noexcept
    PyObject* PyUnicode_InternFromString(const char*) noexcept
    const char* PyUnicode_AsUTF8(PyObject*) noexcept
    bint PyDict_Next(PyObject*, Py_ssize_t*, PyObject**, PyObject**) noexcept
    PyObject* PyDict_New() noexcept
    PyObject* PyDict_GetItem(PyObject*, PyObject*) noexcept
    PyObject* PyDict_GetItemString(PyObject*, const char*) noexcept
    PyObject* PySys_GetObject(const char*) noexcept
    int PyDict_SetItem(PyObject*, PyObject*, PyObject*) noexcept
    int PyDict_Update(PyObject*, PyObject*) noexcept
    void PyDict_Clear(PyObject*) noexcept
    bint PyDict_Check(PyObject*) noexcept
    bint PyDict_CheckExact(PyObject*) noexcept
    bint PyTuple_CheckExact(PyObject*) noexcept
    int PyObject_GC_IsTracked(PyObject*) noexcept
    void PyObject_GC_Track(void*) noexcept
    void PyObject_GC_UnTrack(void*) noexcept
    PyObject* PyModule_New(const char*) noexcept
    PyObject* PyModule_GetDict(PyObject*) noexcept
    PyObject* PyExc_KeyboardInterrupt
    PyObject* PyExc_SystemExit
    PyObject* PyErr_Occurred() noexcept
    bint PyErr_ExceptionMatches(PyObject*) noexcept
    void PyErr_Clear() noexcept
    void PyErr_Fetch(PyObject**, PyObject**, PyObject**) noexcept
    void PyErr_Restore(PyObject*, PyObject*, PyObject*) noexcept
    void PyErr_Print() noexcept
    void PyErr_PrintEx(int) noexcept
    PyObject* PyException_GetContext(PyObject*) noexcept
    void PyException_SetContext(PyObject*, PyObject*) noexcept
    int PyException_SetTraceback(PyObject*, PyObject*) noexcept
    PyObject* PyObject_GetAttr(PyObject*, PyObject*) noexcept
    int PyObject_SetAttr(PyObject*, PyObject*, PyObject*) noexcept
    int Py_AddPendingCall(int (*)(void*) noexcept nogil, void*) noexcept
    void Py_IncRef(PyObject*) noexcept
    void Py_DecRef(PyObject*) noexcept
    Py_ssize_t Py_REFCNT(PyObject*) noexcept
    ctypedef PyObject* (*PyCFunction)(PyObject*, PyObject*) noexcept
    ctypedef PyObject* (*PyCFunctionWithKeywords)(PyObject*, PyObject*, PyObject*) noexcept
    ctypedef struct PyMethodDef:
        PyCFunction ml_meth
        int ml_flags
    enum:
        METH_VARARGS
        METH_KEYWORDS
    void* PyCFunction_GetFunction(PyObject*) noexcept
    int Py_IsInitialized() noexcept
    void Py_Exit(int) noexcept
    int Py_RunMain() noexcept
    int Py_BytesMain(int, char**) noexcept
    int Py_Main(int, void**) noexcept


# What differs between CPython's versions, in one place.
cdef extern from *:
    """
    #include <pthread.h>
    #include <cstdint>
    #include <cstdio>
    #include <cstdlib>
    #include <vector>

    #if PY_VERSION_HEX < 0x030B0000
    #  include <frameobject.h>
    #endif
    #if PY_VERSION_HEX < 0x030D0000
    #  define Py_IsFinalizing _Py_IsFinalizing
    #  define PyThreadState_GetUnchecked _PyThreadState_UncheckedGet
    #endif

    // Does this thread hold the GIL? Safe without it, at any time. 3.11 keeps one "current" state for the whole process
    // (pystate.c, _PyRuntime.gilstate.tstate_current), so there it has to be this thread's own; since 3.12 it is a
    // thread-local. PyGILState_Check() will not do: it answers yes for everybody once a sub-interpreter was made.
    static inline bool icegil_holds_gil() noexcept {
        PyThreadState* const current = PyThreadState_GetUnchecked();
    #if PY_VERSION_HEX < 0x030C0000
        return current != nullptr && current == PyGILState_GetThisThreadState();
    #else
        return current != nullptr;
    #endif
    }

    // Has this thread state, the current one, begin anew: no exception, left set or meant for a callback that is over,
    // no context (CPython has no call for it), no hooks of asynchronous generators, no origins of coroutines.
    #if PY_VERSION_HEX >= 0x030C0000
    #  define icegil_current_exception current_exception
    #else
    #  define icegil_current_exception curexc_type
    #endif
    __attribute__((noinline, cold)) static void icegil_begin_anew(PyThreadState* state) noexcept {
        if (state->icegil_current_exception != nullptr) PyErr_Clear();
        for (int times = 0; state->context != nullptr && times < 4; ++times) {  // what goes with it may set a new one
            Py_CLEAR(state->context);
            ++state->context_ver;  // what context variables keep as their caches' key (context.c)
        }
        Py_CLEAR(state->async_gen_firstiter);
        Py_CLEAR(state->async_gen_finalizer);
        Py_CLEAR(state->async_exc);
        state->coroutine_origin_tracking_depth = 0;
    }

    static inline void icegil_forget_callback(PyThreadState* state) noexcept {
        const auto some = [](const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); };
        if ((some(state->icegil_current_exception) | some(state->context) | some(state->async_gen_firstiter) |
             some(state->async_gen_finalizer) | some(state->async_exc) |
             static_cast<unsigned>(state->coroutine_origin_tracking_depth)) != 0) {  // hardly ever: one branch for all
            icegil_begin_anew(state);
        }
    }

    // Whose a thread state is for `PyThreadState_SetAsyncExc`; 0: nobody's.
    static inline unsigned long icegil_thread_of(PyThreadState* state) noexcept { return state->thread_id; }
    static inline void icegil_give_to_thread(PyThreadState* state, unsigned long thread) noexcept {
        state->thread_id = thread;
    }

    // Has nothing of a thread die with its state, `threading.local` values say: it is kept for good.
    static inline void icegil_keep_what_is_local(PyThreadState* state) noexcept {
        static std::vector<PyObject*>& kept = *new std::vector<PyObject*>;
        kept.push_back(state->dict);
        state->dict = nullptr;
    #if PY_VERSION_HEX >= 0x030D0000
        kept.insert(kept.end(), {state->threading_local_key, state->threading_local_sentinel});
        state->threading_local_key = state->threading_local_sentinel = nullptr;
    #endif
    }

    static inline void icegil_forget_profilers() noexcept {
        PyThreadState* const state = PyThreadState_GetUnchecked();
        if (state->c_profilefunc != nullptr) PyEval_SetProfile(nullptr, nullptr);
        if (state->c_tracefunc != nullptr) PyEval_SetTrace(nullptr, nullptr);
    }

    // The frame of Python that runs, or waits for a call; not owned.
    static inline PyObject* icegil_frame() noexcept { return (PyObject*)PyEval_GetFrame(); }
    static inline PyObject* icegil_frame_back(PyObject* frame) noexcept {
        return (PyObject*)PyFrame_GetBack((PyFrameObject*)frame);
    }

    // CPython 3.11 looks for pending calls at the beginning of a traced function until there are none: one that adds
    // itself again is called for ever there (ceval.c, DO_TRACING: the look comes before the instruction is passed).
    static inline bool icegil_may_add_pending_call_again() noexcept {
    #if PY_VERSION_HEX >= 0x030B0000 && PY_VERSION_HEX < 0x030C0000
        return !PyThreadState_GetUnchecked()->cframe->use_tracing;
    #else
        return true;
    #endif
    }

    // The exception that is set, as one object that has all of it, and none is set then; and the other way round.
    static inline PyObject* icegil_take_error() noexcept {
    #if PY_VERSION_HEX < 0x030C0000
        PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
        PyErr_Fetch(&type, &value, &traceback);
        if (type == nullptr) return nullptr;
        PyErr_NormalizeException(&type, &value, &traceback);
        if (traceback != nullptr) PyException_SetTraceback(value, traceback);
        Py_XDECREF(traceback);
        Py_DECREF(type);
        return value;
    #else
        return PyErr_GetRaisedException();
    #endif
    }

    static inline void icegil_raise_error(PyObject* error) noexcept {
    #if PY_VERSION_HEX < 0x030C0000
        PyObject* const type = error == nullptr ? nullptr : (PyObject*)Py_TYPE(error);
        Py_XINCREF(type);
        PyErr_Restore(type, error, error == nullptr ? nullptr : PyException_GetTraceback(error));
    #else
        PyErr_SetRaisedException(error);
    #endif
    }

    static inline PyObject* icegil_type_of(PyObject* thing) noexcept { return (PyObject*)Py_TYPE(thing); }

    // The entry of a class's method table that this method was made of, which all callers go through.
    static inline PyMethodDef* icegil_method_definition(PyObject* method) noexcept {
        return Py_IS_TYPE(method, &PyMethodDescr_Type) ? ((PyMethodDescrObject*)method)->d_method : nullptr;
    }

    // One attempt at a lock is over: what a processor is told that spins.
    static inline void icegil_relax() noexcept {
    #if defined(__x86_64__)
        __builtin_ia32_pause();
    #elif defined(__aarch64__)
        asm volatile("yield");
    #endif
    }

    #define icegil_caller() __builtin_return_address(0)

    #ifdef ICEGIL_DEBUG
    static inline void icegil_check_gil(const char* place) noexcept {
        if (!icegil_holds_gil()) {
            std::fprintf(stderr, "icegil: the GIL was lost in: %s\\n", place);
            std::abort();
        }
    }
    #else
    #  define icegil_check_gil(place) ((void)0)
    #endif
    """
    bint Py_IsFinalizing() noexcept nogil
    bint holds_gil "icegil_holds_gil"() noexcept nogil
    void check_gil "icegil_check_gil"(const char* place) noexcept nogil
    void forget_callback "icegil_forget_callback"(PyThreadState* state) noexcept nogil
    void keep_what_is_local "icegil_keep_what_is_local"(PyThreadState* state) noexcept nogil
    unsigned long thread_of "icegil_thread_of"(PyThreadState* state) noexcept nogil
    void give_to_thread "icegil_give_to_thread"(PyThreadState* state, unsigned long thread) noexcept nogil
    void forget_profilers "icegil_forget_profilers"() noexcept nogil
    PyObject* PyEval_GetFrame "icegil_frame"() noexcept nogil
    PyObject* PyFrame_GetBack "icegil_frame_back"(PyObject*) noexcept nogil
    bint may_add_pending_call_again "icegil_may_add_pending_call_again"() noexcept nogil
    PyObject* take_error "icegil_take_error"() noexcept nogil
    void raise_error "icegil_raise_error"(PyObject* error) noexcept nogil
    PyObject* type_of "icegil_type_of"(PyObject*) noexcept nogil
    PyMethodDef* method_definition "icegil_method_definition"(PyObject*) noexcept nogil
    void relax "icegil_relax"() noexcept nogil
    const void* caller "icegil_caller"() noexcept nogil


cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        int (*tp_traverse)(object, int (*visit)(PyObject*, void*) noexcept, void*) noexcept
    PyTypeObject* Py_TYPE(object) noexcept
    ctypedef struct PyModuleDef:
        void (*m_free)(void*) noexcept
    PyModuleDef* PyModule_GetDef(object) noexcept
    void PyErr_SetObject(object, object) noexcept
    void PyErr_WriteUnraisable(object) noexcept
