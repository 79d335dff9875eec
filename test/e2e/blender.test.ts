/** What a run makes, loaded into a real Blender by the example client, by nothing but what each artifact says of itself. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AssetKind } from '#protocol/assets.ts';
import type { ArtifactView } from '#protocol/views.ts';
import { ffmpegPath } from '#results/convert/find-ffmpeg.ts';
import { resolveAssets } from '#results/assets.ts';
import { recogniseBytes } from '#results/recognise.ts';
import { openPlace } from '../daemon/exchange/exchange-harness.ts';
import { ROOT } from './run-cli.ts';

const SCRIPT = join(ROOT, 'examples', 'blender', 'load_assets.py');
/** Starting Blender takes seconds; only one that hangs is to be ended. */
const GUARD = 300_000;

const VERSION = spawnSync('blender', ['-b', '--version'], { encoding: 'utf8' }).stdout?.split('\n')[0] ?? '';
const IS_THERE = VERSION.startsWith('Blender ') && ffmpegPath() !== undefined;
/** Debian's Blender has none of its own, and reads no glTF without. PYTHONPATH may name a folder with it. */
const PYTHON = ['-b', '--factory-startup', '--python-use-system-env'];
const HAS_NUMPY = IS_THERE && spawnSync('blender', [...PYTHON, '--python-exit-code', '1', '--python-expr', 'import numpy']).status === 0;
if (!IS_THERE) console.warn('SKIPPED: nothing is loaded into Blender, because there is no blender or no ffmpeg on PATH');

type Report = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

function load(folder: string, artifacts: readonly ArtifactView[]): Report {
  const answer = join(folder, 'answer.json');
  const report = join(folder, 'report.json');
  writeFileSync(answer, JSON.stringify({ artifacts }));
  const file = join(folder, 'scene.blend');
  execFileSync('blender', [...PYTHON, '--python', SCRIPT, '--', answer, '--save', file, '--report', report], {
    timeout: GUARD,
    stdio: 'ignore',
  });
  return JSON.parse(readFileSync(report, 'utf8')) as Report;
}

const still = (color: number) => ({ class_type: 'EmptyImage', inputs: { width: 64, height: 32, batch_size: 1, color } });
const save = (node: string) => ({ class_type: 'SaveImage', inputs: { images: [node, 0], filename_prefix: 'x' } });

if (IS_THERE && !HAS_NUMPY) console.warn('SKIPPED: no glTF is loaded into Blender, because its Python has no numpy');

describe.skipIf(!IS_THERE)(`a run in ${VERSION}`, { timeout: GUARD }, () => {
  it('[TO6] becomes images, sequences, movies, sounds, meshes, light, a material and a text, in their collections', async () => {
    await using place = await openPlace();
    const folder = join(place.dir, 'templates', 'kinds');
    mkdirSync(folder, { recursive: true });
    const example = JSON.parse(readFileSync(join(ROOT, 'examples', 'every-kind.json'), 'utf8')) as object;
    const maps = {
      mapC: still(0x8040ff),
      saveC: save('mapC'),
      mapN: still(0x8080ff),
      saveN: save('mapN'),
      mapR: still(0x404040),
      saveR: save('mapR'),
    };
    writeFileSync(join(folder, 'g.json'), JSON.stringify({ ...example, ...maps }));
    const from = (name: string) => `{steps.make.${name}}`;
    const map = (name: string) => ({ kind: 'material', name: 'Brick wall', map: name });
    writeFileSync(
      join(folder, 'template.json'),
      JSON.stringify({
        format: 1,
        id: 'kinds',
        version: '1.0.0',
        title: 'Every kind',
        steps: [
          {
            id: 'make',
            workflow: 'g.json',
            outputs: { still: 'still', film: 'mp4', sound: 'flac', mesh: 'mesh', text: 'text', c: 'saveC', n: 'saveN', r: 'saveR' },
          },
        ],
        outputs: {
          hero: { from: from('still[0]'), asset: { kind: 'image', name: 'Héro {index}', collection: 'shots/hero' } },
          plates: { from: from('still'), asset: { kind: 'image_sequence' } },
          film: { from: from('film'), convert: { to: 'mp4' }, asset: { kind: 'movie' } },
          frames: { from: from('film'), convert: { to: 'frames', fps: 12, format: 'jpg' }, asset: { kind: 'image_sequence' } },
          voice: { from: from('sound'), asset: { kind: 'sound' } },
          spoken: { from: from('film'), convert: { to: 'wav' }, asset: { kind: 'sound' } },
          shape: { from: from('mesh'), asset: { kind: 'mesh', collection: 'props' } },
          sky: { from: from('c'), convert: { to: 'exr' }, asset: { kind: 'hdri' } },
          caption: { from: from('text'), asset: { kind: 'text' } },
          wall: { from: from('c'), asset: map('base_color') },
          wall_normal: { from: from('n'), asset: map('normal') },
          wall_roughness: { from: from('r'), asset: map('roughness') },
        },
      }),
    );
    await place.changed('kinds', ({ runnable }) => runnable);
    const { runId } = await place.client.call('run/start', { template: 'kinds', parameters: {} });
    const run = await place.ended(runId);
    expect(run).toMatchObject({ status: 'succeeded', problems: [] });
    const { artifacts } = await place.client.call('artifact/list', { runId, limit: 1000 });
    const report = load(place.dir, artifacts);
    const failed = Object.entries(report).flatMap(([name, { error }]) => (error === undefined ? [] : [name]));
    expect(failed).toEqual(HAS_NUMPY ? [] : ['shape']);
    expect(report).toMatchObject({
      'Héro 0': { kind: 'image', size: [320, 192], colorSpace: 'sRGB' },
      plates: { kind: 'image_sequence', source: 'SEQUENCE', frames: 2, last: 'plates_0002.png', lastIsThere: true, size: [320, 192] },
      film: { kind: 'movie', size: [320, 192], frames: 25, fps: 24, source: 'MOVIE' },
      frames: { kind: 'image_sequence', frames: 13, last: 'frames_0013.jpg', lastIsThere: true, size: [320, 192] },
      voice: { kind: 'sound', rate: 44_100 },
      spoken: { kind: 'sound', rate: 44_100 },
      shape: { kind: 'mesh' },
      sky: { kind: 'hdri', size: [64, 32], isFloat: true, colorSpace: expect.stringMatching(/^Linear/) },
      caption: { kind: 'text' },
      'Brick wall': {
        kind: 'material',
        inputs: ['Base Color', 'Normal', 'Roughness'],
        colorSpaces: { base_color: 'sRGB', normal: 'Non-Color', roughness: 'Non-Color' },
      },
    });
    expect(Number(report['shape']?.['vertices']) > 0).toBe(HAS_NUMPY);
    expect(Object.keys(report)).toHaveLength(10);
  });

  it('[TO14] reads meshes of each format that it says it can', async () => {
    const TRIANGLE = ['0 0 0', '1 0 0', '0 1 0'];
    const files: Readonly<Record<string, string>> = {
      'a.obj': `o thing\n${TRIANGLE.map((at) => `v ${at}\n`).join('')}f 1 2 3\n`,
      'a.stl': `solid thing\nfacet normal 0 0 1\nouter loop\n${TRIANGLE.map((at) => `vertex ${at}\n`).join('')}endloop\nendfacet\nendsolid thing\n`,
      'a.ply': `ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n${TRIANGLE.join('\n')}\n3 0 1 2\n`,
    };
    await using place = await openPlace();
    const artifacts: ArtifactView[] = [];
    for (const [name, content] of Object.entries(files)) {
      const path = place.put(name, Buffer.from(content));
      const { fault, extension: _, ...facts } = await recogniseBytes(Buffer.from(content));
      expect(fault).toBeUndefined();
      const base = { artifactId: name, runId: 'r', step: 's', item: 0, output: name, node: '1', index: 0, draft: false, createdAt: 1 };
      artifacts.push({ ...base, ...facts, path, bytes: content.length, sha256: '' });
    }
    const kind: AssetKind = 'mesh';
    const { assets, problems } = resolveAssets(
      artifacts.map((artifact) => ({ artifact, output: artifact.output, index: 0, kind })),
      'Meshes',
    );
    expect(problems).toEqual([]);
    const withAssets = artifacts.flatMap((artifact) => {
      const asset = assets.get(artifact.artifactId);
      return asset === undefined ? [] : [{ ...artifact, asset }];
    });
    const report = load(dirname(artifacts[0]?.path ?? ''), withAssets);
    expect(report).toEqual({
      'a.obj': { kind, objects: 1, vertices: 3 },
      'a.stl': { kind, objects: 1, vertices: 3 },
      'a.ply': { kind, objects: 1, vertices: 3 },
    });
  });
});
