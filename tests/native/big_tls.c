/* A library with thread-local variables of the kind for which the loader has little room. */
__thread char much[TLS_SIZE] __attribute__((tls_model("initial-exec")));

char* address(void) { return much; }
