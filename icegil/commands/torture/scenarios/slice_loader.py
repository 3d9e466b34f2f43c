"""A slice loader in Python makes every instance of a class that comes over the wire.

hazard: it is called in the middle of unmarshaling, on both sides, also for the last answer
ends: status 0
needs: asyncio
"""

import _slice
from _echo import communicator, serve


def load(type_id):
    print(type_id, flush=True)
    return _slice.Parcel() if type_id == "::Torture::Parcel" else None


ice = communicator(sliceLoader=load)
post = _slice.PostPrx.uncheckedCast(serve(ice, _slice.Post()))
pending = [post.sendAsync(_slice.Parcel(_slice.Parcel())) for _ in range(500)]
