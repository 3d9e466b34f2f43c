"""A value factory in Python makes every instance of a class that comes over the wire.

hazard: it is called in the middle of unmarshaling, on both sides, also for the last answer
ends: status 0
needs: ValueFactoryManager
"""

import _slice
from _echo import communicator, serve


def make(type_id):
    print(type_id, flush=True)
    return _slice.Parcel()


ice = communicator()
ice.getValueFactoryManager().add(make, "::Torture::Parcel")
post = _slice.PostPrx.uncheckedCast(serve(ice, _slice.Post()))
pending = [post.sendAsync(_slice.Parcel(_slice.Parcel())) for _ in range(500)]
