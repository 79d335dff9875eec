/**
 * Makes a postcard of a photo with a running Callsheet: uploads, starts, follows, fetches, and checks what came.
 *
 *   npx callsheet daemon --json                        the first line names its runtime file
 *   node make-postcard.ts RUNTIME_FILE PHOTO OUT.png
 *
 * Ends with code 0 only if the picture has the size that was asked for and the sha256 that the daemon has of it.
 */
import { createHash, randomUUID } from 'node:crypto';
import { openAsBlob, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { connect } from 'callsheet/client';

const SIZE = { card_width: 480, card_height: 360 };
const ENDS = ['succeeded', 'failed', 'cancelled', 'lost'];

const [runtimeFile = '', photo = '', out = 'postcard.png'] = process.argv.slice(2);
const { url, runKey: key } = JSON.parse(readFileSync(runtimeFile, 'utf8')) as { readonly url: string; readonly runKey: string };
const http = url.replace(/^ws(.*)\/rpc$/, 'http$1');
const authorization = `Bearer ${key}`;

const client = await connect({ url, key, scope: 'run', name: 'make-postcard', version: '1', reconnectFor: 60_000 });

// A file that the daemon may not read by itself goes up; one below an approved root can be named by its path.
const uploaded = await fetch(`${http}/uploads`, {
  method: 'POST',
  headers: { authorization, 'content-type': 'application/octet-stream', 'callsheet-name': encodeURIComponent(basename(photo)) },
  body: await openAsBlob(photo),
});
if (!uploaded.ok) throw new Error(await uploaded.text());
const { assetId } = (await uploaded.json()) as { readonly assetId: string };

// The key of the request makes it safe to ask again when the answer is lost: the same key is the same run.
const { runId } = await client.call('run/start', {
  template: 'pixel-postcard',
  parameters: { photo: `asset:${assetId}`, picture_width: 400, picture_height: 300, ...SIZE },
  requestKey: randomUUID(),
});

// From the first event of the run on, each once and in order, also when the connection is lost in between.
const ended = Promise.withResolvers<string>();
await client.subscribe(
  { runId, since: { epoch: client.server.epoch, seq: 0 } },
  {
    onEvent({ seq, event }) {
      console.log(seq, event.type, 'step' in event ? event.step : '', 'status' in event ? event.status : '');
      if (event.type === 'run.status' && ENDS.includes(event.status)) ended.resolve(event.status);
    },
    onGap: ended.reject,
  },
);
const status = await ended.promise;
const { run } = await client.call('run/get', { runId });
await client.close();

const [artifact] = run.artifacts;
if (status !== 'succeeded' || artifact === undefined) throw new Error(`${status}: ${run.error?.message ?? 'no picture'}`);
const answer = await fetch(`${http}/artifacts/${artifact.artifactId}`, { headers: { authorization } });
const picture = Buffer.from(await answer.arrayBuffer());
writeFileSync(out, picture);

// A PNG has its width and height at bytes 16 and 20.
const size = { card_width: picture.readUInt32BE(16), card_height: picture.readUInt32BE(20) };
if (createHash('sha256').update(picture).digest('hex') !== artifact.sha256) throw new Error('the picture is not the one that was made');
if (size.card_width !== SIZE.card_width || size.card_height !== SIZE.card_height) throw new Error(`wrong size: ${JSON.stringify(size)}`);
console.log(`ok ${out} ${size.card_width}x${size.card_height}`);
