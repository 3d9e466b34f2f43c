/* To be preloaded: as if there were no memory for one more handler of fork(). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <string.h>

typedef int (*Register)(void (*)(void), void (*)(void), void (*)(void), void*);

/* What `pthread_atfork` is, in the part of glibc that is linked into each library. It fails for icegil only. */
int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void* handle) {
    Dl_info info;
    if (dladdr(handle, &info) != 0 && strstr(info.dli_fname, "/_bridge.") != NULL) {
        return ENOMEM;
    }
    return ((Register)dlsym(RTLD_NEXT, "__register_atfork"))(prepare, parent, child, handle);
}
