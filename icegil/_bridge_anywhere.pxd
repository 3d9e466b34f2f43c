# What other Cython extensions of the same process may use of the bridge: its gate, which is the process's only one.
from icegil.bridge.gate cimport Gate, Visitor

cdef Gate* process_gate() noexcept nogil
cdef Visitor* this_visitor() noexcept nogil
