/* A program that has Python in it: it runs a script, finalizes Python, goes on, and ends with a status of its own. */
#include <Python.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void at_exit(void) {
    static const char said[] = "handler of the host\n";
    if (write(1, said, sizeof said - 1) < 0) {
        _exit(98);
    }
}

static void check(PyStatus status) {
    if (PyStatus_Exception(status)) {
        Py_ExitStatusException(status);
    }
}

/* host PYTHON TIMES SCRIPT: runs it that many times, each in an interpreter of its own. */
int main(int argc, char** argv) {
    if (argc != 4 || atexit(at_exit) != 0) {
        return 97;
    }
    for (int time = 0; time < atoi(argv[2]); ++time) {
        PyConfig config;
        PyConfig_InitPythonConfig(&config);
        check(PyConfig_SetBytesString(&config, &config.program_name, argv[1]));
        check(PyConfig_SetBytesString(&config, &config.executable, argv[1]));
        check(Py_InitializeFromConfig(&config));
        PyConfig_Clear(&config);

        FILE* script = fopen(argv[3], "r");
        if (script == NULL) {
            return 96;
        }
        const int failed = PyRun_SimpleFileEx(script, argv[3], 1);
        if (Py_FinalizeEx() != 0 || failed != 0) {
            return 95;
        }
        printf("Python is gone\n");
        fflush(stdout);
    }
    usleep(200000); /* in which a thread that was left behind may do harm */
    printf("the host goes on\n");
    fflush(stdout);
    return 42;
}
