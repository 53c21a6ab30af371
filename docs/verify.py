#!/usr/bin/env python3
"""A second verifier for revtrail ledgers. It follows archive-format.md and shares no code with revtrail.

    verify.py DIR --key VKEY [--key VKEY ...] [--as-of TIME] [--output text|json]
    verify.py DIR --key-file acme.pub.pem --origin evidence.acme.example/finance

DIR is a copy of a ledger's directory, which holds one directory for each year; its name is the ledger's name unless --ledger gives it.
Keys come from you, never with the copy: verifier keys (archive-format.md, section 4), one for each year, or one PEM public key.

Exit codes: 0 sound, 1 the copy cannot be read, 2 usage, 3 contradicted, 6 incomplete, 7 cannot judge.

Needs Python 3.10 and zstd: the module compression.zstd (Python 3.14), the module zstandard, or the program zstd. No other module.
It says of time stamps only whether those that the record names are there, unchanged; it has no policy, cosigners or authorities.
The numbers in comments are sections of archive-format.md, "9.4" is step 4 of its section 9.
"""
import argparse
import base64
import binascii
import calendar
import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

HEX64 = re.compile(r"[0-9a-f]{64}")
MAX_TEXT = 1 << 32


def sha256(data):
    return hashlib.sha256(data).digest()


class CannotRead(Exception):
    """The copy cannot be read."""


class CannotJudge(Exception):
    """A key is missing."""


class Malformed(Exception):
    """Bytes are not what they must be; the message says why."""


# --- zstd (RFC 8878), by whatever there is ---------------------------------------------------------------------------------------


def zstd_by_module():
    try:
        from compression import zstd  # Python 3.14

        def stream(data):
            text, rest = bytearray(), data
            while rest:
                frame = zstd.ZstdDecompressor()
                text += frame.decompress(rest, MAX_TEXT - len(text))
                if not frame.eof:
                    return bytes(text), False
                rest = frame.unused_data
            return bytes(text), bool(data)

        return "compression.zstd", guarded(stream, zstd.ZstdError)
    except ImportError:
        pass
    try:
        import zstandard

        def stream(data):
            text, rest = bytearray(), data
            while rest:
                frame = zstandard.ZstdDecompressor().decompressobj()
                text += frame.decompress(rest)
                if not frame.eof or len(text) > MAX_TEXT:
                    return bytes(text), False
                rest = frame.unused_data
            return bytes(text), bool(data)

        return "zstandard", guarded(stream, zstandard.ZstdError)
    except ImportError:
        return None


def guarded(stream, error):
    def whole(data):
        try:
            return stream(data)
        except error:
            return b"", False

    return whole


def zstd_by_program():
    program = shutil.which("zstd")
    if not program:
        return None

    def stream(data):
        done = subprocess.run([program, "-dcq"], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        return done.stdout, done.returncode == 0 and bool(data)

    return program, stream


def find_zstd():
    """Name of what decompresses, and a function: bytes to (as much text as can be had, whether the stream is whole)."""
    found = zstd_by_module() or zstd_by_program()
    if not found:
        raise CannotRead("zstd is missing: install the program (apt-get install zstd) or the module (pip install zstandard)")
    return found


# --- Ed25519 (RFC 8032, section 5.1) ------------------------------------------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def add(a, b):
    x = (a[1] - a[0]) * (b[1] - b[0]) % P
    y = (a[1] + a[0]) * (b[1] + b[0]) % P
    t = 2 * a[3] * b[3] * D % P
    z = 2 * a[2] * b[2] % P
    e, f, g, h = y - x, z - t, z + t, y + x
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(scalar, point):
    sum_ = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            sum_ = add(sum_, point)
        point = add(point, point)
        scalar >>= 1
    return sum_


def same(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def point_of(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_weak(point):
    """Of small order: a signature by such a key says nothing."""
    return same(times(8, point), (0, 1, 1, 0))


def is_signature(key, message, signature):
    if len(signature) != 64:
        return False
    a, r, s = point_of(key), point_of(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L or is_weak(a) or is_weak(r):
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    return same(times(s, BASE), add(r, times(k, a)))


# --- 3. Tree and 11. Tiles ----------------------------------------------------------------------------------------------------------


def leaf_hash(leaf):
    return sha256(b"\x00" + leaf)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


class Frontier:
    def __init__(self, size=0, hashes=()):
        self.size, self.hashes = size, list(hashes)

    def append(self, leaf):
        tree, n = leaf_hash(leaf), self.size
        while n & 1:
            tree, n = node_hash(self.hashes.pop(), tree), n >> 1
        self.hashes.append(tree)
        self.size += 1

    def root(self):
        if not self.hashes:
            return sha256(b"")
        top = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            top = node_hash(left, top)
        return top


def perfect_root(hashes):
    while len(hashes) > 1:
        hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


TILE = re.compile(r"tile/(entries|[0-7])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


def tile_name(layer, index, width):
    groups = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        groups.insert(0, f"x{index % 1000:03}")
    return f"tile/{layer}/{'/'.join(groups)}" + (f".p/{width}" if width < 256 else "")


def parse_tile(name):
    """(layer, index, width), or nothing where that is not the one name of a tile."""
    found = TILE.fullmatch(name)
    if not found:
        return None
    layer = found[1] if found[1] == "entries" else int(found[1])
    index, width = int(found[2].replace("x", "").replace("/", "")), int(found[3] or 256)
    return (layer, index, width) if tile_name(layer, index, width) == name and (width < 256 or not found[3]) else None


class Tiles:
    """What tiles a log has, by its leaves and the sizes of its checkpoints."""

    def __init__(self):
        self.entries, self.levels, self.taken = [], [[]], 0

    def append(self, leaf):
        self.entries.append(leaf)
        self.push(0, leaf_hash(leaf))

    def push(self, level, hash_):
        if level == len(self.levels):
            self.levels.append([])
        hashes = self.levels[level]
        hashes.append(hash_)
        if len(hashes) % 256 == 0:
            self.push(level + 1, perfect_root(hashes[-256:]))

    def nodes(self, layer, size=None):
        size = len(self.entries) if size is None else size
        return size >> (0 if layer == "entries" else 8 * layer)

    def called_for(self):
        """Names that the checkpoint at the present size calls for, and no earlier one."""
        names = []
        for layer in [*range(len(self.levels)), "entries"]:
            before, now = self.nodes(layer, self.taken), self.nodes(layer)
            names += [(layer, index, 256) for index in range(before // 256, now // 256)]
            if now != before and now % 256:
                names.append((layer, now // 256, now % 256))
        self.taken = len(self.entries)
        return names

    def content(self, layer, index, width):
        first = index * 256
        if layer == "entries":
            return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in self.entries[first : first + width])
        return b"".join(self.levels[layer][first : first + width])


# --- 4. Notes, checkpoints, verifier keys -------------------------------------------------------------------------------------------


def canonical_base64(text):
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("not base64") from error
    if base64.b64encode(data).decode() != text:
        raise Malformed("not canonical base64")
    return data


class Key:
    def __init__(self, name, public):
        point = point_of(public) if len(public) == 32 else None
        if point is None or is_weak(point):
            raise Malformed("not an Ed25519 public key")
        self.name, self.public = name, public
        self.id = sha256(name.encode() + b"\n\x01" + public)[:4]

    def text(self):
        data = base64.b64encode(b"\x01" + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{data}"

    @staticmethod
    def parse(text):
        fields = text.split("+", 2)
        if len(fields) != 3:
            raise Malformed(f"{text!r} is not a verifier key")
        data = canonical_base64(fields[2])
        if data[:1] != b"\x01":
            raise Malformed(f"{text!r} is not the key of a log (0x01)")
        key = Key(fields[0], data[1:])
        if key.id.hex() != fields[1]:
            raise Malformed(f"the key id of {text!r} does not belong to its name and key")
        return key


class Checkpoint:
    def __init__(self, stored, key):
        """Opens a note with the trusted key; refuses whatever is not exactly a checkpoint of that log."""
        if len(stored) > 1 << 20:
            raise Malformed("larger than 1 MiB")
        try:
            note = stored.decode()
        except UnicodeDecodeError as error:
            raise Malformed("not UTF-8") from error
        if any(c < " " and c != "\n" or c == "\x7f" for c in note):
            raise Malformed("holds a control character")
        split = note.rfind("\n\n")
        if split < 0 or not note.endswith("\n"):
            raise Malformed("not text, an empty line and signatures")
        text, lines = note[: split + 1], note[split + 2 : -1].split("\n")
        if len(lines) > 100:
            raise Malformed("more than 100 signatures")
        trusted = False
        for line in lines:
            found = re.fullmatch(r"— ([^\s+]+) (\S+)", line)
            if not found:
                raise Malformed("a signature line is malformed")
            blob = canonical_base64(found[2])
            if len(blob) < 5:
                raise Malformed("a signature line is malformed")
            if (found[1], blob[:4]) == (key.name, key.id):
                if not is_signature(key.public, text.encode(), blob[4:]):
                    raise Malformed("the signature of the trusted key is wrong")
                trusted = True
        if not trusted:
            raise Malformed("not signed by the trusted key")
        self.read(text, key)
        self.note_sha256 = sha256(stored).hex()

    def read(self, text, key):
        lines = text[:-1].split("\n")
        if len(lines) < 3 or "" in lines:
            raise Malformed("not a checkpoint")
        if lines[0] != key.name:
            raise Malformed("the origin is not that of the trusted key")
        if not re.fullmatch(r"0|[1-9][0-9]{0,19}", lines[1]) or int(lines[1]) >= 1 << 64:
            raise Malformed("the tree size is not a plain decimal")
        self.size, self.root = int(lines[1]), canonical_base64(lines[2])
        if len(self.root) != 32 or (self.size == 0 and self.root != sha256(b"")):
            raise Malformed("the root is not one")
        named = [line[len("segment-sha256 ") :] for line in lines[3:] if line.startswith("segment-sha256 ")]
        self.segment = named[0] if len(named) == 1 and HEX64.fullmatch(named[0]) else None

    def reference(self):
        return {"note_sha256": self.note_sha256, "root": self.root.hex(), "size": str(self.size)}


# --- 5. Leaves ----------------------------------------------------------------------------------------------------------------------

REQUIRED = {
    "genesis": {"created_at": "time", "ledger": str, "origin": str, "public_key": str},
    "close": {"closed_at": "time", "ledger": str, "next_origin": str, "next_public_key": str},
    "window": {
        "account": str, "count": "number", "counted": dict, "first": "number", "folder": str, "ledger": str, "pages": "number",
        "provider": str, "retries": "number", "state": str, "throttled_ms": "number",
    },
    "run": {
        "config_sha256": "digest", "finished_at": "time", "ledger": str, "objects": dict, "run_id": str, "seq": "number",
        "started_at": "time", "tool": dict,
    },
    "event": {
        "action": str, "actor_kind": str, "actor_source": str, "basis": str, "drive_id": str, "folder": str, "id": "digest",
        "item_id": str, "item_kind": str, "ledger": str, "observed_at": "time", "occurred_source": str, "provider": str,
        "source_api": str, "tenant": str,
    },
    "annotation": {
        "actor_kind": str, "actor_source": str, "basis": str, "event_id": "digest", "folder": str, "ledger": str, "observed_at": "time",
        "outcome": ("attributed", "ambiguous", "unattributed"), "provider": str,
    },
    "hold": {"action": ("placed", "released"), "at": "time", "c": dict, "hold_id": str, "ledger": str},
}


def is_number(value):
    return isinstance(value, str) and bool(re.fullmatch(r"0|[1-9][0-9]{0,19}", value)) and int(value) < 1 << 64


def moment(text):
    """RFC 3339 as something to compare: whole seconds since 1970, and the fraction."""
    found = re.fullmatch(
        r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", text if isinstance(text, str) else ""
    )
    if not found:
        raise Malformed(f"{text!r} is not an RFC 3339 time")
    seconds = calendar.timegm(tuple(int(part) for part in found.groups()[:6]))
    if found[8] not in "Zz":
        sign = 1 if found[8][0] == "-" else -1
        seconds += sign * (int(found[8][1:3]) * 3600 + int(found[8][4:6]) * 60)
    return seconds, (found[7] or "").ljust(9, "0")


def fits(value, kind):
    if kind == "number":
        return is_number(value)
    if kind == "digest":
        return isinstance(value, str) and bool(HEX64.fullmatch(value))
    if kind == "time":
        moment(value)
        return True
    if isinstance(kind, tuple):
        return value in kind
    return isinstance(value, kind)


def parse_leaf(line):
    """The leaf as an object; type `unknown` where this version does not interpret it."""
    if not 1 <= len(line) <= 65535:
        raise Malformed("is not 1 to 65,535 bytes long")
    try:
        leaf = json.loads(line.decode())
    except (ValueError, RecursionError) as error:
        raise Malformed("is not JSON") from error
    if not isinstance(leaf, dict) or not isinstance(leaf.get("type"), str) or type(leaf.get("v")) is not int:
        raise Malformed("has no type and version")
    if leaf["v"] != 1 or leaf["type"] not in REQUIRED:
        return {"type": "unknown"}
    for member, kind in REQUIRED[leaf["type"]].items():
        if member not in leaf or not fits(leaf[member], kind):
            raise Malformed(f"member {member} is missing or malformed")
    if leaf["type"] == "hold" and leaf.get("year") is not None and not is_number(leaf["year"]):
        raise Malformed("member year is malformed")
    if leaf["type"] == "event" and leaf.get("content_sha256") is not None and not fits(leaf["content_sha256"], "digest"):
        raise Malformed("member content_sha256 is malformed")
    stamps = leaf.get("timestamps") if leaf["type"] == "run" else None
    if stamps is not None and not (isinstance(stamps, dict) and all(fits(digest, "digest") for digest in stamps.values())):
        raise Malformed("member timestamps is malformed")
    return leaf


def jcs(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


# --- 6. Sidecars --------------------------------------------------------------------------------------------------------------------


class Sidecar:
    def __init__(self, data):
        lines = [line for line in data.split(b"\n") if line]
        try:
            head, *rest = [json.loads(line.decode()) for line in lines]
            self.seed = canonical_base64(head["seed"])
            self.lines = {line["n"]: line for line in rest}
        except (ValueError, KeyError, TypeError, RecursionError, Malformed) as error:
            raise Malformed("the sidecar cannot be read") from error
        if head.get("type") != "sidecar" or head.get("v") != 1 or len(self.seed) != 32:
            raise Malformed("the sidecar has no seed of 32 bytes in its first line")

    def commitments(self, n):
        line, made = self.lines.get(n, {}), {}
        for field in ("actor", "application", "case", "client", "path", "reason"):
            if line.get(field) is not None:
                salt = base64.b64encode(hmac.new(self.seed, f"{n}{field}".encode(), hashlib.sha256).digest()).decode()
                made[field] = base64.b64encode(sha256(jcs([salt, field, line[field]]))).decode()
        return made


# --- The copy -----------------------------------------------------------------------------------------------------------------------


class Copy:
    def __init__(self, directory, ledger):
        self.root, self.ledger = Path(directory), ledger

    def keys(self):
        """Keys of all files, in byte order. Links are not followed: what they name is not part of the copy."""
        keys, waiting = [], [self.root]
        while waiting:
            directory = waiting.pop()
            with os.scandir(directory) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
                    else:
                        path = Path(entry.path).relative_to(self.root).as_posix()
                        keys.append(f"{self.ledger}/{path}")
        return sorted(keys, key=os.fsencode)

    def read(self, key):
        path = self.root / key[len(self.ledger) + 1 :]
        if path.is_symlink():
            raise CannotRead(f"{key}: a symbolic link stands there, not a copy")
        if not path.is_file():
            return None
        return path.read_bytes()


SUFFIX = {"checkpoints": "", "segments": ".jsonl.zst", "sidecars": "", "raw": ".jsonl.zst", "state": ".jsonl.zst"}
RESERVED = ("tile", "timestamps")


def parse_key(name):
    """(directory, seq, digest) of the part of a key below the year, or nothing."""
    directory, _, rest = name.partition("/")
    if directory == "contents" and re.fullmatch(r"[0-9a-f]{64}", rest):
        return directory, None, rest
    if directory not in SUFFIX or not rest.endswith(SUFFIX[directory]):
        return None
    stem = rest[: len(rest) - len(SUFFIX[directory])]
    pattern = r"([0-9]{20})" if directory == "checkpoints" else r"([0-9]{20})-([0-9a-f]{64})"
    found = re.fullmatch(pattern, stem)
    if not found or int(found[1]) >= 1 << 64:
        return None
    return directory, int(found[1]), found[2] if found.lastindex == 2 else None


# --- 9. Verification ----------------------------------------------------------------------------------------------------------------


class Report:
    def __init__(self):
        self.findings = []

    def add(self, severity, key, what):
        self.findings.append({"severity": severity, "key": key, "what": what})

    def contradiction(self, key, what):
        self.add("contradiction", key, what)

    def incomplete(self, key, what):
        self.add("incomplete", key, what)

    def note(self, key, what):
        self.add("note", key, what)

    def verdict(self):
        found = {finding["severity"] for finding in self.findings}
        if "contradiction" in found:
            return "contradicted", 3
        return ("incomplete", 6) if "incomplete" in found else ("sound", 0)


class Past:
    """What is known of earlier snapshots, those of earlier years included."""

    def __init__(self):
        self.raw, self.raw_known = set(), True  # digests of raw records
        self.holds, self.holds_known = {}, True  # open holds
        self.events, self.events_known = set(), True  # folder and id of each


class Log:
    """One year."""

    def __init__(self, copy, year, key, zstd, report):
        self.copy, self.key, self.zstd, self.report = copy, key, zstd, report
        self.prefix = f"{copy.ledger}/{year}/"
        self.frontier = Frontier()
        self.checkpoint = None  # the one before, if it could be opened
        self.windows, self.windows_known, self.ids, self.named, self.contents_named = {}, True, set(), set(), set()
        self.judged = set()
        self.stamps, self.has_stamps = {}, False
        self.previous_log = self.next_origin = self.next_key = self.due = self.finished = None
        self.closed = self.end_known = False
        self.tiles, self.tile_keys, self.tile_findings, self.tiles_broken = Tiles(), set(), [], False

    def object_key(self, directory, seq, digest):
        return f"{self.prefix}{directory}/{seq:020}-{digest}{SUFFIX[directory]}"

    def run(self, keys, past):
        self.past = past
        objects = []
        for key in keys:
            name = key[len(self.prefix) :]
            parsed = parse_key(name)
            if parsed:
                objects.append((key, parsed))
            elif name.split("/")[0] == "tile":
                self.tile_keys.add(key)
            elif name.startswith("timestamps/"):
                self.has_stamps = True
            elif name.split("/")[0] not in RESERVED:
                self.report.contradiction(key, "not the name of a record object")
        self.has_tiles = bool(self.tile_keys)
        present = {seq for _, (directory, seq, _) in objects if directory == "checkpoints"}
        expected = 0
        for seq in sorted(present):
            if seq > expected:
                self.report.contradiction(
                    f"{self.prefix}checkpoints/{expected:020}", f"{seq - expected} missing from this checkpoint on, though later ones exist"
                )
                self.broken()
            self.snapshot(seq)
            expected = seq + 1
        if not present:
            self.report.incomplete(self.prefix, "the log has objects but no checkpoint")
        self.check_contents()
        for key, (directory, seq, digest) in objects:
            if directory != "checkpoints" and key not in self.named:
                self.report.note(key, "no checkpoint leads to this object")
        self.finish_tiles()

    def broken(self):
        """After a break: nothing is known of the tree, nor of the checkpoint before."""
        self.frontier = self.checkpoint = None
        self.tiles_broken = True
        self.forget()

    def forget(self):
        """After a break: what was not judged may have held windows, holds, raw records and the end of the log."""
        self.windows, self.windows_known, self.end_known = {}, False, False
        self.past.raw_known = self.past.holds_known = self.past.events_known = False

    def snapshot(self, seq):
        key = f"{self.prefix}checkpoints/{seq:020}"
        try:
            checkpoint = Checkpoint(self.copy.read(key) or b"", self.key)
        except Malformed as error:
            self.report.contradiction(key, f"not a checkpoint signed by the trusted key: {error}")
            return self.broken()
        if self.checkpoint and checkpoint.size <= self.checkpoint.size:
            self.report.contradiction(key, "the tree does not grow")
        self.contents(seq, key, checkpoint)
        self.checkpoint = checkpoint

    def contents(self, seq, checkpoint_key, checkpoint):
        key = self.object_key("segments", seq, checkpoint.root.hex())
        self.named.add(key)
        lines, as_signed = self.segment(key, checkpoint_key, checkpoint)
        if lines is None:
            self.frontier, self.tiles_broken = None, True
            return self.forget()
        leaves, malformed = [], []
        for number, line in enumerate(lines, 1):
            try:
                leaves.append(parse_leaf(line))
            except Malformed as error:
                malformed.append(f"line {number} {error}")
                leaves.append({"type": "unknown"})
        run = leaves[-1] if leaves[-1]["type"] == "run" else None
        self.tree(seq, key, lines, run if as_signed else None, checkpoint)
        if not as_signed and self.frontier is None:
            return self.forget()  # nobody signed these leaves
        for what in malformed:
            self.report.contradiction(key, what)
        self.order(seq, key, leaves)
        if not run:
            self.report.contradiction(key, "the segment does not end in a run leaf")
            return self.forget()
        self.judged.add(seq)
        self.end_known = True
        first = max(checkpoint.size - len(lines), 0)
        self.run_leaf(seq, key, run)
        self.ends(key, leaves)
        sidecar = self.objects(seq, run)
        self.check_windows(key, first, lines, leaves, run)
        self.check_events(key, leaves, sidecar)
        self.check_annotations(key, leaves, sidecar)
        self.check_holds(key, leaves, sidecar)
        header = self.state(seq, run)
        if header is not None:
            self.check_cursors(key, header)
            self.check_open_holds(key, header)

    def segment(self, key, checkpoint_key, checkpoint):
        """9.3: the leaves, as stored, and whether the checkpoint names these bytes."""
        stored = self.copy.read(key)
        if stored is None:
            self.report.contradiction(checkpoint_key, "signs a root that no segment of this snapshot has")
            self.report.contradiction(key, "segment is missing, though its checkpoint exists")
            return None, False
        as_signed = checkpoint.segment == sha256(stored).hex()
        if checkpoint.segment is None:
            self.report.contradiction(checkpoint_key, "does not name the digest of its segment")
        elif not as_signed:
            self.report.contradiction(key, "bytes do not have the digest that the checkpoint names")
        try:
            return self.lines(stored), as_signed
        except Malformed as error:
            self.report.contradiction(key, str(error))
            return None, False

    def lines(self, stored):
        text, whole = self.zstd(stored)
        if not whole:
            raise Malformed("not a whole zstd stream")
        if not text.endswith(b"\n"):
            raise Malformed("does not end in a newline")
        return text[:-1].split(b"\n")

    def tree(self, seq, key, lines, run, checkpoint):
        """9.4, and the tiles of this checkpoint."""
        if self.frontier is None and run:
            self.resume(seq, run)
        if self.frontier is not None:
            for line in lines:
                self.frontier.append(line)
            if self.frontier.size != checkpoint.size:
                self.report.contradiction(key, "number of leaves does not agree with the checkpoint")
                self.frontier = None
            elif self.frontier.root() != checkpoint.root:
                self.report.contradiction(key, "leaves do not make the signed root")
                self.frontier = None
        if self.frontier is None:
            self.tiles_broken = True
        self.compare_tiles(lines)

    def resume(self, seq, run):
        before, state = run.get("previous_checkpoint"), run["objects"].get("state")
        if not before or not state:
            return
        stored = self.state_object(seq, run)
        if stored is None:
            return
        header = self.header(stored) or {}
        try:
            frontier = Frontier(int(header["size_before"]), [bytes.fromhex(text) for text in header["frontier_before"]])
            fits_ = bin(frontier.size).count("1") == len(frontier.hashes)
            if fits_ and (str(frontier.size), frontier.root().hex()) == (before["size"], before["root"]):
                self.frontier = frontier
        except (KeyError, TypeError, ValueError):
            pass
        if self.frontier is None:
            self.report.contradiction(self.object_key("state", seq, state), "does not hold the tree that the run leaf names")

    def state_object(self, seq, run):
        """8: the bytes that the run leaf names, or nothing."""
        digest = run["objects"].get("state")
        stored = self.copy.read(self.object_key("state", seq, digest)) if digest else None
        return stored if stored is not None and sha256(stored).hex() == digest else None

    def header(self, stored):
        """8: the first line of a state object, or nothing."""
        text, _ = self.zstd(stored)
        try:
            header = json.loads(text.split(b"\n")[0].decode())
        except (ValueError, RecursionError):
            return None
        return header if isinstance(header, dict) else None

    def order(self, seq, key, leaves):
        """9.5"""
        for place, leaf in enumerate(leaves):
            first, last = place == 0 and seq == 0, place == len(leaves) - 1
            wrong = {"run": not last, "genesis": not first}.get(leaf["type"], first)
            if wrong:
                self.report.contradiction(key, f"leaf {place} of the snapshot stands in the wrong place")

    def run_leaf(self, seq, key, run):
        """9.6"""
        if run["seq"] != str(seq):
            self.report.contradiction(key, "the run leaf is of another snapshot")
        if run["ledger"] != self.copy.ledger:
            self.report.contradiction(key, "the run leaf is of another ledger")
        before = self.checkpoint.reference() if self.checkpoint else None
        if (before or seq == 0) and run.get("previous_checkpoint") != before:
            self.report.contradiction(key, "the run leaf does not name the checkpoint before it")
        finished = moment(run["finished_at"])
        if self.finished and finished < self.finished:
            self.report.note(key, "finished earlier than the snapshot before it, by its own clock")
        self.finished, self.due = finished, run.get("next_expected_by")
        self.stamps.update(run.get("timestamps", {}))

    def ends(self, key, leaves):
        """9.7"""
        if self.closed:
            self.report.contradiction(key, "the log was closed before this snapshot")
        for leaf in leaves:
            if leaf["type"] == "genesis":
                if leaf["origin"] != self.key.name:
                    self.report.contradiction(key, "the genesis leaf is of another origin")
                if leaf["public_key"] != self.key.text():
                    self.report.contradiction(key, "the genesis leaf binds another key than the trusted one")
                self.previous_log = leaf.get("previous_log")
            elif leaf["type"] == "close":
                self.closed, self.next_origin, self.next_key = True, leaf["next_origin"], leaf["next_public_key"]

    def objects(self, seq, run):
        """9.8"""
        sidecar = None
        for directory, member in (("sidecars", "sidecar"), ("raw", "raw"), ("state", "state")):
            digest = run["objects"].get(member)
            if digest is None:
                continue
            key = self.object_key(directory, seq, digest)
            self.named.add(key)
            stored = self.copy.read(key)
            try:
                if stored is None:
                    raise Malformed("is missing, though the run leaf names it")
                if sha256(stored).hex() != digest:
                    raise Malformed("bytes do not have the digest that the run leaf names")
                if member == "sidecar":
                    sidecar = Sidecar(stored)
                elif member == "raw":
                    self.past.raw.update(sha256(line).hex() for line in self.lines(stored))
            except Malformed as error:
                self.report.contradiction(key, str(error))
                self.past.raw_known = self.past.raw_known and member != "raw"
        return sidecar

    def check_windows(self, key, first, lines, leaves, run):
        """9.9"""
        events, indices, folders = 0, [], set()
        for place, (line, leaf) in enumerate(zip(lines, leaves)):
            if leaf["type"] == "event":
                events += 1
                folders.add(leaf["folder"])
            if leaf["type"] != "window":
                continue
            index = first + place
            indices.append(str(index))
            wrong = lambda what: self.report.contradiction(key, f"window of folder {leaf['folder']} at leaf {index}: {what}")
            if leaf["count"] != str(events):
                wrong("number of events does not agree")
            if leaf["first"] != str(max(index - events, 0)):
                wrong("place of its first event does not agree")
            if folders - {leaf["folder"]}:
                wrong("events before it are of another folder")
            before, cursor = self.windows.get(leaf["folder"], (None, None))
            if leaf.get("previous_window") != before and (before or self.windows_known):
                wrong("does not join the folder's window before it")
            if before and leaf.get("from_cursor_sha256") != cursor:
                wrong("does not start at the cursor where the one before it ended")
            place_ = {"index": str(index), "leaf_hash": leaf_hash(line).hex()}
            self.windows[leaf["folder"]] = (place_, leaf.get("to_cursor_sha256"))
            events, folders = 0, set()
        if events:
            self.report.contradiction(key, f"{events} events stand after the last window")
        if run.get("windows", []) != indices:
            self.report.contradiction(key, "the run leaf does not name the windows of its snapshot")

    def state(self, seq, run):
        stored = self.state_object(seq, run)
        return self.header(stored) if stored is not None else None

    def check_cursors(self, key, header):
        folders = header.get("folders", {})
        for folder, (_, expected) in self.windows.items():
            cursor = folders.get(folder, {}).get("cursor") if isinstance(folders, dict) else None
            if (sha256(cursor.encode()).hex() if isinstance(cursor, str) else None) != expected:
                self.report.contradiction(key, f"the state object does not hold the cursor where the window of folder {folder} ended")

    def check_events(self, key, leaves, sidecar):
        """9.10"""
        disclosed = set(sidecar.lines) if sidecar else set()
        for n, leaf in enumerate(leaves):
            if leaf["type"] in ("hold", "annotation"):
                disclosed.discard(n)
            if leaf["type"] != "event":
                continue
            wrong = lambda what: self.report.contradiction(key, f"event at place {n} of the snapshot: {what}")
            if leaf["ledger"] != self.copy.ledger:
                wrong("is of another ledger")
            if (leaf["folder"], leaf["id"]) in self.ids:
                wrong("was recorded before")
            self.ids.add((leaf["folder"], leaf["id"]))
            self.past.events.add((leaf["folder"], leaf["id"]))
            if "raw_sha256" in leaf and leaf["raw_sha256"] not in self.past.raw and self.past.raw_known:
                wrong("its raw record is in no raw object up to here")
            if leaf.get("content_sha256") is not None:
                self.contents_named.add(leaf["content_sha256"])
            if sidecar and sidecar.commitments(n) != leaf.get("c", {}):
                wrong("the sidecar does not open its commitments")
            disclosed.discard(n)
        if disclosed:
            self.report.contradiction(key, "the sidecar discloses places where nothing stands that commits to a value")

    def check_annotations(self, key, leaves, sidecar):
        """9.16: they stand at the end, and each names an event that is recorded."""
        begun = False
        for n, leaf in enumerate(leaves):
            if leaf["type"] != "annotation":
                if begun and leaf["type"] != "run":
                    self.report.contradiction(key, f"leaf {n} of the snapshot stands after an annotation")
                continue
            begun = True
            wrong = lambda what: self.report.contradiction(key, f"annotation at place {n} of the snapshot: {what}")
            if leaf["ledger"] != self.copy.ledger:
                wrong("is of another ledger")
            if sidecar and sidecar.commitments(n) != leaf.get("c", {}):
                wrong("the sidecar does not open its commitments")
            if (leaf["folder"], leaf["event_id"]) not in self.past.events and self.past.events_known:
                wrong("names an event that is recorded nowhere before it")
            if "raw_sha256" in leaf and leaf["raw_sha256"] not in self.past.raw and self.past.raw_known:
                wrong("its raw record is in no raw object up to here")

    def check_contents(self):
        """9.15: contents that the events of this log name are there, whole."""
        for digest in sorted(self.contents_named):
            key = f"{self.prefix}contents/{digest}"
            self.named.add(key)
            stored = self.copy.read(key)
            if stored is None:
                self.report.contradiction(key, "is missing, though an event names these contents")
            elif sha256(stored).hex() != digest:
                self.report.contradiction(key, "bytes do not have the digest that an event names")

    def check_holds(self, key, leaves, sidecar):
        """9.14: each is placed once, and released at most once, as it was placed."""
        for n, leaf in enumerate(leaves):
            if leaf["type"] != "hold":
                continue
            wrong = lambda what: self.report.contradiction(key, f"hold at place {n} of the snapshot: {what}")
            if leaf["ledger"] != self.copy.ledger:
                wrong("is of another ledger")
            if not sidecar or sidecar.commitments(n) != leaf["c"]:
                wrong("the sidecar does not open its commitments")
            hold, year, holds = leaf["hold_id"], leaf.get("year"), self.past.holds
            if not self.past.holds_known:
                wrong = lambda what: None
            if leaf["action"] == "placed":
                if hold in holds:
                    wrong("was placed before")
                holds[hold] = year
            elif hold not in holds:
                wrong("is released, but was not open")
            elif holds.pop(hold) != year:
                wrong("is released for another year than it was placed for")

    def check_open_holds(self, key, header):
        """9.14, with the state object."""
        holds = header.get("holds", {})
        if not isinstance(holds, dict) or not all(isinstance(hold, dict) for hold in holds.values()):
            return
        stored = {hold: value.get("year") for hold, value in holds.items()}
        if stored != self.past.holds and self.past.holds_known:
            self.report.contradiction(key, "the state object does not know the legal holds that the leaves leave open")
        self.past.holds, self.past.holds_known = stored, True

    def compare_tiles(self, lines):
        """9.12, after each checkpoint: what it calls for, and what no checkpoint ever called for."""
        if self.tiles_broken or not self.has_tiles:
            return
        for line in lines:
            self.tiles.append(line)
        for tile in self.tiles.called_for():
            self.compare_tile(tile, "the tile contradicts the record", None)
        for key in sorted(self.tile_keys):
            tile = parse_tile(key[len(self.prefix) :])
            if tile and tile[2] < 256 and tile[1] * 256 + tile[2] < self.tiles.nodes(tile[0]):
                self.compare_tile(tile, "the tile is left from another history of this log", "no checkpoint calls for this tile")

    def compare_tile(self, tile, wrong, right):
        key = self.prefix + tile_name(*tile)
        if key not in self.tile_keys:
            return
        self.tile_keys.discard(key)
        stored = self.copy.read(key)
        if stored is not None and stored != self.tiles.content(*tile):
            self.tile_findings.append(("contradiction", key, wrong))
        elif stored is not None and right:
            self.tile_findings.append(("note", key, right))

    def finish_tiles(self):
        if not self.has_tiles:
            return
        if self.tiles_broken:
            self.tile_findings.append(("note", f"{self.prefix}tile/", "not all tiles were compared, because the record is broken"))
            return
        size, beyond = self.checkpoint.size if self.checkpoint else 0, None
        for key in sorted(self.tile_keys, key=os.fsencode):
            tile = parse_tile(key[len(self.prefix) :])
            if tile and tile[1] * 256 + tile[2] > self.tiles.nodes(tile[0], size):
                beyond = key
            else:
                self.tile_findings.append(("note", key, "no checkpoint calls for this tile" if tile else "not the name of a tile"))
        if beyond:
            self.tile_findings.append(("incomplete", beyond, "the tile holds leaves after the last checkpoint: the end of the log is missing"))

    def tip(self):
        return {"origin": self.key.name, **self.checkpoint.reference()} if self.checkpoint else None


def joint(before, log, report):
    """Between years."""
    if before is None:
        if log.previous_log is not None:
            report.incomplete(log.prefix, "the genesis leaf names a log before this one, and the copy does not hold it")
        return
    if log.tip() is None:
        return
    if log.previous_log != before.tip() and 0 in log.judged:
        report.contradiction(log.prefix, "the genesis leaf does not continue the final checkpoint of the log before")
    if not before.closed and not before.end_known:
        return  # its last leaves are not known
    if not before.closed:
        report.contradiction(before.prefix, "a later log exists, but this one was never closed")
    elif before.next_origin != log.key.name:
        report.contradiction(before.prefix, "the close leaf names another log than the one that follows")
    elif before.next_key != log.key.text():
        report.contradiction(log.prefix, "the key of this log is not the one that the close leaf of the log before announces")


def announced(before, origin, report):
    """The key that the log before names for this one, where none is trusted for it."""
    try:
        key = Key.parse(before.next_key) if before and before.next_origin == origin else None
    except Malformed:
        key = None
    if key is None or key.name != origin:
        raise CannotJudge(f"no trusted key for origin {origin}")
    report.note(origin, "there is no trusted key for this log; it is checked with the one that the log before announces")
    return key


def check_stamps(copy, keys, logs, report):
    """9.13, as far as it goes without an authority's certificates."""
    for key, digest in sorted((key, digest) for log in logs for key, digest in log.stamps.items()):
        stored = copy.read(key) if key in keys else None
        if stored is None:
            report.contradiction(key, "a run leaf names this time stamp, and it is missing")
        elif sha256(stored).hex() != digest:
            report.contradiction(key, "not the time stamp that a run leaf names")
    for log in logs:
        if log.has_stamps:
            report.note(f"{log.prefix}timestamps/", "time stamps were not checked: this verifier knows no authority")


def verify(copy, origin, key_of, now, zstd):
    report, before, past, tiles, logs = Report(), None, Past(), [], []
    keys = copy.keys()
    parts = [key.split("/") for key in keys]
    years = {part[1] for part in parts if len(part) > 2 and re.fullmatch(r"0|-?[1-9][0-9]{0,4}", part[1])}
    for year in sorted(years, key=int):
        key = key_of(f"{origin}/{year}") or announced(before, f"{origin}/{year}", report)
        log = Log(copy, year, key, zstd, report)
        log.run([key for key in keys if key.startswith(log.prefix)], past)
        joint(before, log, report)
        tiles += log.tile_findings
        logs.append(log)
        before = log
    if before is None:
        report.incomplete(copy.ledger, "the copy holds no log of this ledger")
    elif before.closed:
        report.incomplete(before.prefix, f"the log was closed and the log that follows, {before.next_origin}, is missing")
    elif before.due and moment(before.due) < now:
        report.incomplete(before.prefix, f"the next snapshot was due by {before.due}: the harvest stopped, or the end of the log is missing")
    for finding in tiles:
        report.add(*finding)
    check_stamps(copy, set(keys), logs, report)
    return report


# --- Command line -------------------------------------------------------------------------------------------------------------------

PEM = re.compile(r"-----BEGIN PUBLIC KEY-----\s*([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----")
# RFC 8410: what stands before the 32 bytes of an Ed25519 key.
SPKI = bytes.fromhex("302a300506032b6570032100")


def keys_of(args):
    """The ledger's origin, and a function: origin of a log to its key."""
    if args.key:
        lines = args.key
    else:
        try:
            text = Path(args.key_file).read_text()
        except OSError as error:
            raise CannotJudge(f"key file: {error}") from error
        pem = PEM.search(text)
        if pem:
            data = base64.b64decode("".join(pem[1].split()))
            if data[: len(SPKI)] != SPKI or not args.origin:
                raise CannotJudge("not an Ed25519 public key") if args.origin else Malformed("a PEM file needs --origin")
            return args.origin, lambda origin: Key(origin, data[len(SPKI) :])
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    keys = {key.name: key for key in map(Key.parse, lines)}
    origins = {name.rpartition("/")[0] for name in keys}
    if not args.origin and len(origins) != 1:
        raise Malformed("the keys are not of one ledger; choose with --origin")
    return args.origin or origins.pop(), keys.get


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir", nargs="?", metavar="DIR")
    keys = parser.add_mutually_exclusive_group()
    keys.add_argument("--key", action="append", metavar="VKEY")
    keys.add_argument("--key-file", metavar="FILE")
    parser.add_argument("--origin", help="origin of the ledger, without the year")
    parser.add_argument("--ledger", metavar="NAME")
    parser.add_argument("--as-of", metavar="TIME", help="judge deadlines as of this moment (RFC 3339) instead of now")
    parser.add_argument("--output", choices=("text", "json"), default="text")
    parser.add_argument("--zstd", action="store_true", help="say what decompresses, and end")
    args = parser.parse_args()
    try:
        name, zstd = find_zstd()
        if args.zstd:
            return print(name)
        if not args.dir or not (args.key or args.key_file):
            parser.error("DIR and one of --key and --key-file are required")
        now = moment(args.as_of) if args.as_of else (int(time.time()), "0" * 9)
        origin, key_of = keys_of(args)
        copy = Copy(args.dir, args.ledger or Path(os.path.abspath(args.dir)).name)
        report = verify(copy, origin, key_of, now, zstd)
    except Malformed as error:
        return fail(2, error)
    except CannotJudge as error:
        return fail(7, error)
    except (CannotRead, OSError) as error:
        return fail(1, error)
    show(args.output, copy.ledger, report)
    return report.verdict()[1]


def fail(code, error):
    print(f"error: {error}", file=sys.stderr)
    return code


def show(output, ledger, report):
    verdict, _ = report.verdict()
    if output == "json":
        print(json.dumps({"ledger": ledger, "verdict": verdict, "findings": report.findings}, indent=2))
        return
    for finding in report.findings:
        # Names come from the copy, and may hold anything.
        print(f"{finding['severity']} {finding['key']!a}\n    {finding['what']!a}")
    print(f"verdict: {verdict}")


if __name__ == "__main__":
    sys.exit(main())
