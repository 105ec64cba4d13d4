"""Confine a process to folders and ports by Landlock, so that no query can read other files.

ClickHouse runs as clickhouse-local does, whose SQL function `file()` reads any file of the account,
whatever its user is granted. Landlock (Linux 5.19 and later; needs no privileges) holds for the
process and all threads that it starts afterwards.
"""

import ctypes
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from stat import S_ISDIR

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
PATH_BENEATH, NET_PORT = 1, 2
GET_VERSION = 1
MIN_VERSION = 2
"""Oldest usable version: before it, nothing can be renamed between folders, as ClickHouse does."""
NET_VERSION = 4
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
TRUNCATE, IOCTL = 1 << 14, 1 << 15
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL
RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
"""Version → number of file rights that it knows; 16 since version 5."""
BIND_TCP, CONNECT_TCP = 1 << 0, 1 << 1
NO_NEW_PRIVILEGES = 38


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


class _Port(ctypes.Structure):
    _fields_ = (("allowed", ctypes.c_uint64), ("port", ctypes.c_uint64))


_libc = ctypes.CDLL(None, use_errno=True)


def version() -> int:
    """Return the kernel's version of Landlock; 0 when it has none or does not use it."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_libc.syscall(CREATE_RULESET, None, 0, GET_VERSION)))


def confine(
    readable: Iterable[Path],
    writable: Iterable[Path],
    ports: Iterable[int],
    *,
    connects: bool = False,
) -> bool:
    """Let this thread, and those it starts, open only given files and listen only on given ports.

    Paths that do not exist are skipped; what is open already stays open.

    Args:
        readable: files and folders to read.
        writable: files and folders to read and write.
        ports: TCP ports to listen on.
        connects: whether it may open outgoing connections.

    Returns:
        Whether the kernel could confine files. Ports and connections are confined from Linux 6.7
            on.

    Raises:
        OSError: the kernel knows Landlock and refused.
    """
    supported = version()
    if supported < MIN_VERSION:
        return False
    all_rights = (1 << RIGHTS.get(supported, 16)) - 1
    net = 0 if supported < NET_VERSION else BIND_TCP if connects else BIND_TCP | CONNECT_TCP
    attributes = _Ruleset(all_rights, net)
    size = ctypes.sizeof(attributes) if supported >= NET_VERSION else ctypes.sizeof(ctypes.c_uint64)
    ruleset = _call(CREATE_RULESET, ctypes.byref(attributes), size, 0)
    try:
        for paths, rights in ((readable, EXECUTE | READ_FILE | READ_DIR), (writable, all_rights)):
            for path in paths:
                _allow(ruleset, path, rights & all_rights)
        if net:
            for port in ports:
                _call(ADD_RULE, ruleset, NET_PORT, ctypes.byref(_Port(BIND_TCP, port)), 0)
        if _libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")
        _call(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return True


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        mask = rights if S_ISDIR(os.fstat(opened).st_mode) else rights & OF_FILES
        _call(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(_Beneath(mask, opened)), 0)
    finally:
        os.close(opened)


def _call(number: int, *arguments: object) -> int:
    answer = int(_libc.syscall(number, *arguments))
    if answer < 0:
        raise OSError(ctypes.get_errno(), f"Landlock: {os.strerror(ctypes.get_errno())}")
    return answer
