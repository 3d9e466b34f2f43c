// A library that has nothing to do with Ice: its background thread asks for the GIL all the time, also when Python is
// being finalized, and is joined when the process unloads the library. Python ends that thread (before 3.14), so the
// join comes to its end.
#include <pthread.h>

typedef int GilState;  // PyGILState_STATE, an enumeration

extern "C" GilState PyGILState_Ensure();
extern "C" void PyGILState_Release(GilState);

namespace {

void* report(void*) {
    for (;;) {
        PyGILState_Release(PyGILState_Ensure());
    }
}

struct Reporter {
    pthread_t thread{};
    bool has_begun = false;

    ~Reporter() {
        if (has_begun) {
            pthread_join(thread, nullptr);
        }
    }
};

Reporter reporter;

}  // namespace

extern "C" int begin_to_report() {
    const int error = pthread_create(&reporter.thread, nullptr, report, nullptr);
    reporter.has_begun = error == 0;
    return error;
}
