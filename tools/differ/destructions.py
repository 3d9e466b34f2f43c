"""The ways in which programs destroy their communicators, or do not. The first is to leave them alone."""

from __future__ import annotations

from tools.differ.part import Destruction

DESTROY = "for each in communicators:\n    each.destroy()"

DESTRUCTIONS = [
    Destruction("never destroyed", weight=1.5, is_complete=False),
    Destruction("destroyed at the end", last=DESTROY, weight=6),
    Destruction(
        "destroyed at the end, the client first", last="for each in reversed(communicators):\n    each.destroy()"
    ),
    Destruction("destroyed twice", last=f"{DESTROY}\n{DESTROY}", weight=0.3),
    Destruction(
        "shut down, waited for and destroyed",
        last="""
            for each in communicators:
                each.shutdown()
                each.waitForShutdown()
                each.destroy()
        """,
    ),
    Destruction(
        "destroyed by an atexit handler",
        before="""
            def destroy_at_exit():
                for each in communicators:
                    each.destroy()


            atexit.register(destroy_at_exit)
        """,
        weight=3,
    ),
    Destruction(
        "destroyed by an atexit handler that was registered before Ice was imported",
        early="""
            late = []


            @atexit.register
            def destroy_very_late():
                for each in late:
                    each.destroy()
                print("destroyed")
        """,
        before="late = communicators",
    ),
    Destruction(
        "destroyed by a finalizer",
        before="""
            class Owner:
                def close(all_of_them):
                    for each in all_of_them:
                        each.destroy()
                    print("destroyed")


            owner = Owner()
            weakref.finalize(owner, Owner.close, communicators)
        """,
    ),
    Destruction(
        "destroyed by a __del__",
        before="""
            class Owner:
                def __init__(self, owned):
                    self.owned = owned

                def __del__(self):
                    for each in self.owned:
                        each.destroy()


            owner = Owner(communicators)
        """,
        last="del owner",
    ),
    Destruction(
        "destroyed by an exit stack that an atexit handler closes",
        before="""
            stack = contextlib.ExitStack()
            for each in communicators:
                stack.callback(each.destroy)
            atexit.register(stack.close)
        """,
    ),
    Destruction(
        "destroyed by threads that are joined",
        last="""
            destroyers = [threading.Thread(target=each.destroy) for each in communicators]
            for each in destroyers:
                each.start()
            for each in destroyers:
                each.join()
        """,
    ),
    Destruction(
        "destroyed by threads that go on after the main one",
        last="""
            for each in communicators:
                threading.Thread(target=each.destroy).start()
        """,
    ),
    Destruction(
        "destroyed by a thread that waits for the main one",
        before="""
            def destroy_after_main():
                threading.main_thread().join()
                for each in communicators:
                    each.destroy()
                print("destroyed")


            threading.Thread(target=destroy_after_main).start()
        """,
    ),
    Destruction(
        "destroyed by daemon threads that nobody waits for",
        last="""
            for each in communicators:
                threading.Thread(target=each.destroy, daemon=True).start()
        """,
        weight=0.5,
        is_complete=False,
    ),
    Destruction(
        "all but the last destroyed", last="for each in communicators[:-1]:\n    each.destroy()", is_complete=False
    ),
    Destruction("shut down only", last="for each in communicators:\n    each.shutdown()", is_complete=False),
    Destruction(
        "destroyed with asyncio",
        last="""
            async def destroy_all():
                for each in {ice, client}:
                    await Ice.wrap_future(each.destroyAsync())


            asyncio.run(destroy_all())
            for each in communicators:  # those with a loop of their own
                each.destroy()
        """,
        need="Ice 3.8",
    ),
    Destruction(
        "destroyed by futures that nobody waits for",
        last="destructions = [each.destroyAsync() for each in communicators]",
        need="Ice 3.8",
        weight=0.5,
        is_complete=False,
    ),
]
