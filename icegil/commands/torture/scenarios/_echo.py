"""What the scenarios share: a servant that answers, a communicator that serves it, and traffic."""

import Ice


class Echo(Ice.Blobject):
    """Answers each request with its own arguments."""

    def ice_invoke(self, arguments, current):
        return True, arguments


class Hooks:
    """`threadStart` and `threadStop`, as Ice 3.6 has them."""

    def __init__(self, attributes):
        self.start = attributes.get("threadStart", lambda: None)
        self.stop = attributes.get("threadStop", lambda: None)


def communicator(properties=None, loop=None, **attributes):
    """A communicator with these properties, and these attributes of `Ice.InitializationData`."""
    data = Ice.InitializationData()
    data.properties = Ice.createProperties()
    for name, value in (properties or {}).items():
        data.properties.setProperty(name, str(value))
    for name, value in attributes.items():
        setattr(data, name, value)
    if not hasattr(Ice, "Future"):  # Ice 3.6
        data.threadHook = Hooks(attributes)
    if loop is not None:
        data.eventLoopAdapter = Ice.asyncio.EventLoopAdapter(loop)
    return Ice.initialize(data) if Ice.intVersion() < 30800 else Ice.Communicator(initData=data)


def serve(ice, servant=None, endpoints="tcp -h 127.0.0.1"):
    """Serves a servant on an adapter of its own; a proxy that reaches it through the network."""
    adapter = ice.createObjectAdapterWithEndpoints("", endpoints)
    made = adapter.add(servant or Echo(), Ice.stringToIdentity("echo"))
    adapter.activate()
    far = made.ice_collocationOptimized(False)
    if hasattr(Ice, "Future"):
        return far
    from _futures import with_futures  # of Ice 3.6

    return with_futures(far)


def storm(proxy, count=1000):
    """Sends this many asynchronous requests; their futures."""
    futures = [proxy.ice_invokeAsync("echo", Ice.OperationMode.Normal, b"") for _ in range(count)]
    proxy.ice_getCachedConnection()
    return futures
