"""The kinds of operations, one subject a module, in the order of the table."""

# ruff: noqa: I001 -- the order in which they are imported is that of the table
import tools.leaks.operations.asynchronous
import tools.leaks.operations.callers
import tools.leaks.operations.oneway
import tools.leaks.operations.failures
import tools.leaks.operations.slices
import tools.leaks.operations.synchronous
import tools.leaks.operations.servants
import tools.leaks.operations.comings
import tools.leaks.operations.customs
import tools.leaks.operations.proxies  # noqa: F401
from tools.leaks.operation import OPERATIONS

__all__ = ["OPERATIONS"]
