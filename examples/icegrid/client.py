"""Has all primes up to a number counted by all the servers there are, each a share of it."""

import sys
from itertools import pairwise

import IceGrid
from icegil import Ice

import Numbers

with Ice.initialize(sys.argv) as communicator:
    last = int(sys.argv[1])
    query = IceGrid.QueryPrx.checkedCast(communicator.stringToProxy("Primes/Query"))
    replicas = query.findAllReplicas(communicator.stringToProxy("primes"))
    servers = [Numbers.PrimesPrx.uncheckedCast(replica) for replica in replicas]
    bounds = [last * number // len(servers) for number in range(len(servers) + 1)]
    counts = [server.countAsync(*share) for server, share in zip(servers, pairwise(bounds), strict=True)]
    print(f"{sum(count.result() for count in counts)} primes, counted by {len(servers)} servers")
