/** Every kind of output on the sandbox, end to end: what comes home, what it is called, and what it carries. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect } from '#protocol/client.ts';
import type { ArtifactView, RunView } from '#protocol/views.ts';
import { recogniseBytes } from '#results/recognise.ts';
import { freshPlace, jsonLines, runCli, startCli } from './run-cli.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/every-kind.json', import.meta.url));

interface Result {
  readonly run: RunView;
  readonly artifacts: readonly ArtifactView[];
}

async function run(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<Result> {
  const { code, stdout, stderr } = await runCli(['run', ...argv, '--json'], env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return jsonLines(stdout).at(-1) as unknown as Result;
}

describe('every kind of output', () => {
  it('comes home described, under its own name, marked as a draft, with its graph inside', async () => {
    const { env } = freshPlace();
    const { artifacts } = await run([EXAMPLE], env);
    const byNode = Object.fromEntries(artifacts.filter(({ index }) => index === 0).map((artifact) => [artifact.node, artifact]));
    const told = Object.fromEntries(
      Object.entries(byNode).map(([node, { kind, mediaType, draft }]) => [node, `${kind} ${mediaType}${draft ? ' draft' : ''}`]),
    );
    expect(told).toEqual({
      still: 'image image/png draft',
      apng: 'animation image/png draft',
      awebp: 'animation image/webp draft',
      webm: 'video video/webm draft',
      mp4: 'video video/mp4 draft',
      flac: 'audio audio/flac draft',
      latent: 'latent application/x-comfy-latent',
      mesh: 'model3d model/gltf-binary draft',
      svg: 'image image/svg+xml draft',
      text: 'text text/plain',
      show: 'text text/plain',
    });
    expect(byNode['mp4']).toMatchObject({
      width: 320,
      height: 192,
      facts: { frames: 25, fps: 24, codec: 'av1', audioCodec: 'flac', channels: 2 },
    });
    expect(byNode['flac']).toMatchObject({ duration: 1, facts: { sampleRate: 44_100, channels: 2, depth: 16 } });
    // A node that saves a text and shows it gives the file, once; two stills of one node are two.
    expect(artifacts.filter(({ node }) => node === 'text').map(({ path }) => basename(path))).toEqual(['main_files_text.md']);
    expect(artifacts.filter(({ node }) => node === 'still')).toHaveLength(2);
    // A daemon that was not there when they were made.
    const daemon = startCli(['daemon', '--json'], env);
    onTestFinished(() => daemon.kill('SIGTERM'));
    const { runtimeFile } = JSON.parse(await daemon.line((text) => text.includes('"ready"'))) as { readonly runtimeFile: string };
    const { url, key } = JSON.parse(readFileSync(runtimeFile, 'utf8')) as { readonly url: string; readonly key: string };
    const client = await connect({ url, key });
    onTestFinished(() => client.close());
    for (const artifact of artifacts) {
      const bytes = readFileSync(artifact.path);
      expect(artifact.createdAt).toBeGreaterThan(0);
      expect(bytes).toHaveLength(artifact.bytes);
      expect((await recogniseBytes(bytes)).fault).toBeUndefined();
      const { embedded } = await client.call('artifact/get', { artifactId: artifact.artifactId, embedded: true });
      expect({ node: artifact.node, carries: embedded?.workflows.map(({ format }) => format), draft: embedded?.draft }).toEqual({
        node: artifact.node,
        carries: artifact.kind === 'text' ? [] : ['api'],
        draft: artifact.draft,
      });
    }
  });

  it('is stored once where a run makes the same content again, under as many names', async () => {
    const { env, folder } = freshPlace();
    const graph = {
      i: { class_type: 'EmptyImage', inputs: { width: 32, height: 16, batch_size: 3, color: 7 } },
      s: { class_type: 'SaveAnimatedPNG', inputs: { images: ['i', 0], filename_prefix: 'x', fps: 6, compress_level: 4 } },
      t: { class_type: 'PrimitiveString', inputs: { value: 'said twice' } },
      a: { class_type: 'PreviewAny', inputs: { source: ['t', 0] } },
      b: { class_type: 'PreviewAny', inputs: { source: ['t', 0] }, _meta: { title: 'again' } },
    };
    const file = join(folder, 'twice.json');
    writeFileSync(file, JSON.stringify(graph));
    const { artifacts } = await run([file], env);
    const texts = artifacts.filter(({ kind }) => kind === 'text');
    expect(texts).toHaveLength(2);
    expect(texts.map(({ sameAs }) => sameAs)).toEqual([undefined, texts[0]?.artifactId]);
    expect(new Set(texts.map(({ path }) => path)).size).toBe(2);
    expect(new Set(texts.map(({ path }) => statSync(path).ino)).size).toBe(1);
  });
});
