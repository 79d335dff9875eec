"""Makes a postcard of a photo with a running Callsheet: uploads, starts, follows, fetches, and checks what came.

    npx callsheet daemon --json                        the first line names its runtime file
    python3 make_postcard.py RUNTIME_FILE PHOTO OUT.png

Needs the package websockets (Debian: python3-websockets), which sends no Origin by itself; a client that does is refused.
Ends with code 0 only if the picture has the size that was asked for and the sha256 that the daemon has of it.
"""

import asyncio, base64, hashlib, hmac, json, os, secrets, sys, urllib.parse, urllib.request, uuid
from pathlib import Path

import websockets

os.environ["no_proxy"] = "127.0.0.1"  # the daemon is on this machine, whatever proxy there is
WIDTH, HEIGHT = 480, 360
runtime_file, photo, out = (Path(name) for name in sys.argv[1:4])
info = json.loads(runtime_file.read_text())
http = f"http://127.0.0.1:{info['port']}"


def fetch(path, body=None, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()} | {"Authorization": f"Bearer {info['runKey']}"}
    with urllib.request.urlopen(urllib.request.Request(http + path, body, headers)) as answer:
        return answer.read()


def proof(side, server_nonce, client_nonce):
    text = "\n".join((f"callsheet-{side}-1", f"127.0.0.1:{info['port']}", "run", server_nonce, client_nonce))
    return base64.urlsafe_b64encode(hmac.digest(info["runKey"].encode(), text.encode(), "sha256")).decode().rstrip("=")


async def make_postcard():
    async with websockets.connect(info["url"], max_size=None) as socket:

        async def call(name, **params):
            await socket.send(json.dumps({"jsonrpc": "2.0", "id": name, "method": name, "params": params}))
            while (message := json.loads(await socket.recv())).get("id") != name:
                pass  # notifications that nobody waits for
            if "error" in message:
                sys.exit(f"{name}: {message['error']['data']['code']} {message['error']['message']}")
            return message["result"]

        # The key never crosses the wire: each side proves that it has it (docs/protocol.md, The challenge).
        theirs, ours = json.loads(await socket.recv())["params"]["nonce"], secrets.token_urlsafe(32)
        auth = {"scope": "run", "nonce": ours, "proof": proof("client", theirs, ours)}
        server = await call("initialize", client={"name": "make-postcard", "version": "1"}, auth=auth)
        if not hmac.compare_digest(server["proof"], proof("server", theirs, ours)):
            sys.exit("what answers does not know the key: it is not the daemon")

        upload = fetch("/uploads", photo.read_bytes(), Content_Type="application/octet-stream", Callsheet_Name=urllib.parse.quote(photo.name))
        parameters = {"photo": f"asset:{json.loads(upload)['assetId']}", "picture_width": 400, "picture_height": 300}
        parameters |= {"card_width": WIDTH, "card_height": HEIGHT}
        # With the same key the same call is the same run, so it can be repeated when the answer was lost.
        run_id = (await call("run/start", template="pixel-postcard", parameters=parameters, requestKey=str(uuid.uuid4())))["runId"]
        await call("event/subscribe", runId=run_id, since={"epoch": server["epoch"], "seq": 0})
        while True:
            message = json.loads(await socket.recv())
            if message.get("method") != "event":
                continue
            event = message["params"]["event"]
            print(message["params"]["seq"], event["type"], event.get("step", ""), event.get("status", ""))
            if event["type"] == "run.status" and event["status"] in ("succeeded", "failed", "cancelled", "lost"):
                return (await call("run/get", runId=run_id))["run"]


run = asyncio.run(make_postcard())
if run["status"] != "succeeded":
    sys.exit(f"{run['status']}: {run.get('error', {}).get('message')}")
picture = fetch(f"/artifacts/{run['artifacts'][0]['artifactId']}")
out.write_bytes(picture)
size = (int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big"))  # where a PNG has them
if hashlib.sha256(picture).hexdigest() != run["artifacts"][0]["sha256"]:
    sys.exit("the picture is not the one that was made")
if size != (WIDTH, HEIGHT):
    sys.exit(f"wrong size: {size}")
print(f"ok {out} {size[0]}x{size[1]}")
