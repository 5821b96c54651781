#!/usr/bin/env python3
"""test_fetch_data.py ROOT: scripts/fetch-data against mirrors of its own that are down, lie, cut off and go on."""

import hashlib
import http.server
import pathlib
import random
import subprocess
import sys
import tempfile
import threading

FETCH = pathlib.Path(sys.argv[1]).resolve() / "scripts/fetch-data"
FILES = {name: random.Random(name).randbytes(500_000) for name in ("images.gz", "labels.gz")}
asked = []  # (mirror, file, first byte)
failures = 0


class Mirror(http.server.BaseHTTPRequestHandler):
    """/good serves ranges; /cut breaks off after 100,000 bytes of every answer; /whole knows no ranges; /wrong has other bytes."""

    def do_GET(self):
        _, mirror, file = self.path.split("/")
        content = FILES.get(file)
        if content is None or mirror == "missing":
            return self.send_error(404)
        if mirror == "wrong":
            content = content[::-1]
        first = 0
        if mirror != "whole" and (wanted := self.headers.get("Range")):
            first = int(wanted.removeprefix("bytes=").removesuffix("-"))
        asked.append((mirror, file, first))
        if first >= len(content):
            return self.send_error(416)
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        self.wfile.write(content[first : first + 100_000] if mirror == "cut" else content[first:])

    def log_message(self, *_):
        pass


def expect(what, code, words, *command):
    """Exit code, and words that are printed in this order."""
    global failures
    done = subprocess.run([FETCH, *map(str, command)], capture_output=True, text=True)
    printed, at = " ".join((done.stdout + done.stderr).split()), 0
    for word in words:
        at = printed.find(word, at)
        if at < 0:
            break
    if done.returncode != code or at < 0:
        print(f"{what}: exit code {done.returncode}, printed: {printed}")
        failures += 1


def check(what, good):
    global failures
    if not good:
        print(what)
        failures += 1


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = lambda mirror: f"http://127.0.0.1:{server.server_port}/{mirror}/"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)

        def catalogue(*mirrors):
            sums = "".join(f'"{n}" = "{hashlib.md5(c).hexdigest()}"\n' for n, c in FILES.items())
            path = folder / "sets.toml"
            path.write_text(f"[toys]\nmirrors = {[url(m) for m in mirrors]}\n[toys.files]\n{sums}")
            return path

        whole = lambda to: all((folder / to / "toys" / n).read_bytes() == c for n, c in FILES.items())
        run = lambda to, *mirrors: ("toys", "--to", folder / to, "--catalogue", catalogue(*mirrors))

        expect("all is well", 0, ["fetched", "images.gz", "fetched", "labels.gz", "--data"], *run("good", "good"))
        check("files differ", whole("good"))
        asked.clear()
        expect("again", 0, ["there", "images.gz", "there", "labels.gz"], *run("good", "good"))
        check("what is there was asked for", not asked)
        (folder / "good/toys/labels.gz").write_bytes(b"damaged")
        expect("damaged", 0, ["there", "images.gz", "fetched", "labels.gz"], *run("good", "good"))
        check("still damaged", whole("good"))

        expect("mirrors that are down or lie", 0, ["fetched"], *run("liars", "missing", "wrong", "good"))
        check("a lie was believed", whole("liars"))

        asked.clear()
        expect("cut off", 0, ["fetched", "images.gz"], *run("cut", "cut"))
        check("files were not put together", whole("cut"))
        check(f"it did not go on: {asked}", [first for _, file, first in asked if file == "images.gz"] == list(range(0, 500_000, 100_000)))

        (folder / "whole/toys").mkdir(parents=True)
        (folder / "whole/toys/images.gz.part").write_bytes(b"x" * 50)
        expect("no ranges", 0, ["fetched"], *run("whole", "whole"))
        check("an old part was kept", whole("whole"))
        (folder / "long/toys").mkdir(parents=True)
        (folder / "long/toys/images.gz.part").write_bytes(b"x" * 500_000)
        expect("a part that is too long", 3, ["images.gz", "MD5 sum is"], *run("long", "good"))
        expect("is thrown away", 0, ["fetched", "images.gz"], *run("long", "good"))
        check("the long part won", whole("long"))

        expect("nobody has it", 3, ["toys: images.gz", "Not Found", "toys: labels.gz"], *run("none", "missing"))
        expect("all lie", 3, ["MD5 sum is", "instead of"], *run("lies", "wrong"))
        check("a lie was kept", not list((folder / "lies/toys").iterdir()))
        (folder / "file").write_text("")
        expect("no folder", 3, ["fetch-data:", "file"], "toys", "--to", folder / "file", "--catalogue", catalogue("good"))
        expect("unknown", 2, ["'mnits' is unknown; allowed: mnist, fashion-mnist, kmnist, all"], "mnits")
        expect("no catalogue", 2, ["--catalogue"], "--catalogue", folder / "nothing.toml")
        expect("help", 0, ["--mirror", "published MD5 sum"], "--help")
    if failures:
        sys.exit(1)
    print("fetch-data behaves")


if __name__ == "__main__":
    main()
