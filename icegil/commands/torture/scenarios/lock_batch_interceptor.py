"""Four threads queue and flush batches that have an interceptor in Python.

hazard: the interceptor lets the GIL go while its batch is in use; who has the GIL waits for the batch
ends: status 0
needs: guard Future
within: 20
"""

from concurrent.futures import ThreadPoolExecutor

import Ice
from _echo import communicator, serve


def intercept(request, count, size):
    print(count, size, flush=True)
    request.enqueue()


def asynchronously(ice, batches):
    for _ in range(50):
        for batch in batches:
            batch.ice_pingAsync()
            batch.ice_flushBatchRequestsAsync()
        ice.flushBatchRequestsAsync(Ice.CompressBatch.BasedOnProxy).result()


def synchronously(ice, batches):
    for _ in range(50):
        for batch in batches:
            batch.ice_ping()
            batch.ice_flushBatchRequests()
        ice.flushBatchRequests(Ice.CompressBatch.BasedOnProxy)


with communicator(batchRequestInterceptor=intercept) as ice, ThreadPoolExecutor() as pool:
    batch = serve(ice).ice_batchOneway()
    batches = batch, batch.ice_fixed(batch.ice_getConnection())
    for done in [pool.submit(work, ice, batches) for work in (asynchronously, synchronously) * 2]:
        done.result()
