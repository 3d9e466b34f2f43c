"""Two tests; the first one forgets what it has made."""

import Ice


def test_the_identity_of_a_station():
    communicator = Ice.initialize()
    station = communicator.stringToProxy("station:tcp -h 127.0.0.1 -p 4061")
    assert station.ice_getIdentity().name == "station"


def test_the_same_with_the_fixture(ice_communicator):
    station = ice_communicator.stringToProxy("station:tcp -h 127.0.0.1 -p 4061")
    assert station.ice_getIdentity().name == "station"
