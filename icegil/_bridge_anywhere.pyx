# cython: language_level=3, embedsignature=False, binding=False
# distutils: language=c++
"""The boundary, built without storage that ld.so keeps ready: where that is used up, `_bridge` cannot be loaded."""

include "_bridge.pyx"
