"""Whether a folder lies on a disk where SQLite's shared-memory WAL is safe."""

from pathlib import Path

# FUSE, SMB, NFS, 9p and the shared folders of virtual machines do not give WAL its shared memory.
_DISTANT = ("nfs", "cifs", "smb", "9p", "fuse", "vboxsf", "virtiofs", "afs", "ceph", "gluster", "drvfs")
_MOUNTS = Path("/proc/mounts")


def distant(folder: Path, mounts: str | None = None) -> bool:
    """True where `folder` is on a network or mounted drive; `mounts` is the text of /proc/mounts (read if None).

    Off Linux a UNC path (two leading separators) counts as distant, everything else as local.
    """
    resolved = folder.resolve()
    if str(resolved).startswith(("\\\\", "//")):
        return True
    if mounts is None:
        if not _MOUNTS.exists():
            return False
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="replace")
    best, kind = "", ""
    for line in mounts.splitlines():
        parts = line.split(" ")
        if len(parts) < 3:
            continue
        point = parts[1].replace("\\040", " ")
        inside = resolved.is_relative_to(point)
        if inside and len(point) >= len(best):
            best, kind = point, parts[2]
    return kind.startswith(_DISTANT)
