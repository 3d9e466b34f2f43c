"""Batches are flushed as the program ends; an interceptor has seen each of their requests.

hazard: the flushes complete on threads of Ice: more callbacks, and the interceptor's references with them
ends: status 0
needs: Future
"""

import Ice
from _echo import communicator, serve


def intercept(request, count, size):
    if request.getSize() + size > 10_000:
        request.getProxy().ice_flushBatchRequestsAsync()
    request.enqueue()


ice = communicator(batchRequestInterceptor=intercept)
proxy = serve(ice)
batch = proxy.ice_batchOneway()
fixed = batch.ice_fixed(proxy.ice_getConnection())
for _ in range(1000):
    batch.ice_ping()
    fixed.ice_ping()
batch.ice_flushBatchRequestsAsync().add_done_callback(lambda done: print("flushed", flush=True))
fixed.ice_ping()
batch.ice_ping()
ice.flushBatchRequestsAsync(Ice.CompressBatch.BasedOnProxy).add_sent_callback(lambda *sent: print("sent", flush=True))
