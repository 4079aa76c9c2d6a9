"""C for training on a CPU: compiled for the machine when it is first used.

`CC` names the compiler; else it is clang where there is one: the recurrent unit compiled by gcc 12 takes six
times as long with AVX2.
"""

import ctypes
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import torch


@functools.cache
def library(source, dtype, **sizes):
    """A compiled C file of this folder, for tensors of float32 or bfloat16 and what it calls sizes."""
    if dtype not in (torch.float32, torch.bfloat16):
        raise TypeError(f"{source} takes float32 or bfloat16, not {dtype}")
    folder = Path(__file__).parent
    flags = ["-O3", "-march=native", "-ffast-math", "-fPIC", "-shared", f"-I{folder}"]
    flags += ["-DBFLOAT16"] if dtype == torch.bfloat16 else []
    flags += [f"-D{name}={value}" for name, value in sizes.items()]
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "library.so"
        compiler = os.environ.get("CC") or shutil.which("clang") or "cc"
        subprocess.run([compiler, *flags, str(folder / source), "-o", str(path), "-lm"], check=True)
        return ctypes.CDLL(str(path))


def call(function, *arguments):
    """With contiguous tensors as pointers and numbers as long."""
    function(
        *(
            ctypes.c_void_p(a.data_ptr()) if isinstance(a, torch.Tensor) else ctypes.c_long(a)
            for a in arguments
        )
    )
