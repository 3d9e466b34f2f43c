"""Never destroys its communicator."""

from icegil import Ice


def connect():
    return Ice.initialize()


communicator = connect()
