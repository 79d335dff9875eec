// What files become in Blender: kinds by their content, names that are unique, collections, colour spaces, materials.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AssetKind, MATERIAL_MAPS } from '#protocol/assets.ts';
import { kindOf } from '#protocol/file-formats.ts';
import type { ArtifactView } from '#protocol/views.ts';
import { assetName, collectionName, uniqueNames } from '#results/asset-names.ts';
import { type AssetWish, resolveAssets } from '#results/assets.ts';

let count = 0;

function artifact(path: string, mediaType: string, more: Partial<ArtifactView> = {}): ArtifactView {
  count += 1;
  return {
    artifactId: `artifact-${String(count)}`,
    runId: 'run',
    step: 'draw',
    item: 0,
    output: 'out',
    node: '9',
    index: 0,
    path: `/out/${path}`,
    mediaType,
    bytes: 10,
    sha256: 'a'.repeat(64),
    kind: kindOf(mediaType),
    createdAt: 1,
    draft: false,
    ...more,
  };
}

function wish(file: ArtifactView, kind: AssetKind, more: Partial<AssetWish> = {}): AssetWish {
  return { artifact: file, output: 'hero', index: 0, kind, ...more };
}

function resolved(...wishes: readonly AssetWish[]) {
  const { assets, problems } = resolveAssets(wishes, 'Still life');
  return { views: wishes.map(({ artifact: { artifactId } }) => assets.get(artifactId)), problems };
}

/** Kind that a file gets, and whether that was said to be another. */
function becomes(file: ArtifactView, kind: AssetKind): string {
  const { views, problems } = resolved(wish(file, kind));
  return `${views[0]?.kind ?? 'nothing'}${problems.length === 0 ? '' : ' !'}`;
}

const sequence = { count: 24, first: 1, pattern: 'plate_####.png', bytes: 240, sha256: 'b'.repeat(64) };
const png = () => artifact('a.png', 'image/png', { width: 64, height: 32 });

it('a file of several outputs becomes what the last of them says, and the others are told', () => {
  const file = png();
  const { views, problems } = resolved(
    wish(file, 'image', { output: 'plain' }),
    wish(file, 'material', { output: 'rough', map: 'roughness' }),
    wish(file, 'material', { output: 'alpha', map: 'alpha' }),
  );
  expect(views.map((view) => view?.maps?.map(({ map }) => map))).toEqual([['alpha'], ['alpha'], ['alpha']]);
  expect(problems.map(({ message }) => message)).toEqual([
    'a.png is a file of the output "alpha", too, and becomes what that one says, no image of the output "plain".',
    'a.png is a file of the output "alpha", too, and becomes what that one says, no material of the output "rough".',
  ]);
  expect(resolved(wish(file, 'image'), wish(file, 'image', { output: 'again' })).problems).toEqual([]);
});

describe('[TO7] files are what their content is', () => {
  it.each<readonly [string, string, AssetKind, Partial<ArtifactView>, string]>([
    ['a.png', 'image/png', 'image', {}, 'image'],
    ['a.webp', 'image/webp', 'image', {}, 'image'],
    ['a.webp', 'image/webp', 'image', { kind: 'animation', facts: { frames: 8 } }, 'nothing !'],
    ['a.webp', 'image/webp', 'movie', { kind: 'animation', facts: { frames: 8 } }, 'nothing !'],
    ['a.gif', 'image/gif', 'movie', { kind: 'animation' }, 'movie'],
    ['a.svg', 'image/svg+xml', 'image', {}, 'nothing !'],
    ['a.avif', 'image/avif', 'image', {}, 'nothing !'],
    ['a.mp4', 'video/mp4', 'movie', {}, 'movie'],
    ['a.mp4', 'video/mp4', 'sound', {}, 'sound'],
    ['a.mp4', 'video/mp4', 'image', {}, 'movie !'],
    ['a.png', 'image/png', 'movie', {}, 'image !'],
    ['a.png', 'image/png', 'image_sequence', {}, 'image !'],
    ['a_0001.png', 'image/png', 'image_sequence', { sequence }, 'image_sequence'],
    ['a.flac', 'audio/flac', 'sound', {}, 'sound'],
    ['a.flac', 'audio/flac', 'mesh', {}, 'sound !'],
    ['a.glb', 'model/gltf-binary', 'mesh', {}, 'mesh'],
    ['a.txt', 'text/plain', 'text', {}, 'text'],
    ['a.bin', 'application/octet-stream', 'mesh', {}, 'nothing !'],
  ])('%s (%s) as %s %j is: %5$s', (path, mediaType, kind, more, expected) => {
    expect(becomes(artifact(path, mediaType, more), kind)).toBe(expected);
  });

  it('says why, what it is instead and how to get the other', () => {
    const { problems } = resolved(wish(artifact('a.webp', 'image/webp', { kind: 'animation', facts: { frames: 8 } }), 'movie'));
    expect(problems).toMatchObject([
      {
        code: 'ASSET_MISFIT',
        severity: 'warning',
        message:
          'a.webp of the output "hero" cannot be loaded as movie: Blender opens no image/webp as a movie. It is nothing that Blender loads by itself.',
        hint: 'Add "convert": { "to": "mp4" } to the output, or change its kind.',
        step: 'draw',
      },
    ]);
  });

  it('becomes what the last output says of a file that belongs to several', () => {
    const file = png();
    expect(resolved(wish(file, 'image', { output: 'a' }), wish(file, 'image', { output: 'b' })).views[0]?.name).toBe('b');
  });
});

describe('[TO8] names of assets', () => {
  it('are the output’s, with a number from the second file on, where no pattern stands', () => {
    const { views } = resolved(wish(png(), 'image'), wish(png(), 'image', { index: 1 }), wish(png(), 'image', { index: 2 }));
    expect(views.map((view) => view?.name)).toEqual(['hero', 'hero-2', 'hero-3']);
  });

  it('are never the same twice in a run, whatever the patterns give', () => {
    const { views } = resolved(...['fox', 'fox', 'fox-2', 'fox'].map((name, index) => wish(png(), 'image', { name, index })));
    expect(views.map((view) => view?.name)).toEqual(['fox', 'fox-3', 'fox-2', 'fox-4']);
  });

  it('are unique, never empty, in reach of Blender and the same every time (property)', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string({ unit: 'grapheme', maxLength: 100 }), fc.constantFrom('a', 'a-2', '', ' '))), (texts) => {
        const names = uniqueNames(texts.map((text, index) => assetName(text, `artifact-${String(index)}`)));
        expect(new Set(names).size).toBe(texts.length);
        for (const name of names) {
          expect(name.trim()).not.toBe('');
          expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
          expect(name).not.toMatch(/\p{Cc}/u);
          expect(name.isWellFormed()).toBe(true);
        }
        expect(uniqueNames(texts.map((text, index) => assetName(text, `artifact-${String(index)}`)))).toEqual(names);
      }),
    );
  });
});

describe('[TO9] collections', () => {
  it('are the template’s title where nothing is said, and stand in each other with slashes', () => {
    expect(resolved(wish(png(), 'image')).views[0]?.collection).toBe('Still life');
    expect(resolved(wish(png(), 'image', { collection: ' shots / hero//' })).views[0]?.collection).toBe('shots/hero');
    expect(collectionName(' / ')).toBeUndefined();
  });
});

describe('[TO10] colour spaces', () => {
  const exr = () => artifact('a.exr', 'image/x-exr');
  it.each<readonly [string, AssetWish, string | undefined]>([
    ['a picture', wish(png(), 'image'), 'sRGB'],
    ['a picture in linear light', wish(exr(), 'image'), 'Linear Rec.709'],
    ['normals by their name', wish(png(), 'image', { output: 'wall_normal' }), 'Non-Color'],
    ['depth by its name, also in OpenEXR', wish(exr(), 'image', { output: 'depth' }), 'Non-Color'],
    ['a mask by its name', wish(png(), 'image', { output: 'hero-mask' }), 'Non-Color'],
    ['a word that only begins like one', wish(png(), 'image', { output: 'maskara' }), 'sRGB'],
    ['what the template says', wish(png(), 'image', { output: 'depth', colorSpace: 'sRGB' }), 'sRGB'],
    ['roughness of a material', wish(png(), 'material', { map: 'roughness' }), 'Non-Color'],
    ['base colour of a material', wish(png(), 'material', { map: 'base_color', output: 'normal' }), 'sRGB'],
    ['a film', wish(artifact('a.mp4', 'video/mp4'), 'movie'), 'sRGB'],
    ['a sound', wish(artifact('a.wav', 'audio/wav'), 'sound'), undefined],
    ['a mesh', wish(artifact('a.glb', 'model/gltf-binary'), 'mesh'), undefined],
  ])('are told for %s', (_, one, expected) => {
    expect(resolved(one).views[0]?.colorSpace).toBe(expected);
  });

  it('are those of data for every map but colour and emission', () => {
    const spaces = MATERIAL_MAPS.map((map) => resolved(wish(png(), 'material', { map })).views[0]?.colorSpace);
    expect(MATERIAL_MAPS.filter((_, at) => spaces[at] === 'sRGB')).toEqual(['base_color', 'emission']);
  });
});

describe('[TO11] sequences and movies', () => {
  it('say how many pictures they have, how fast they run, and where they begin', () => {
    const plates = artifact('plate_0001.png', 'image/png', { sequence, facts: { fps: 25 } });
    expect(resolved(wish(plates, 'image_sequence')).views[0]).toMatchObject({
      frames: 24,
      fps: 25,
      firstFrame: 1,
      pattern: 'plate_####.png',
    });
    const film = artifact('a.mp4', 'video/mp4', { facts: { frames: 48, fps: 23.976 } });
    expect(resolved(wish(film, 'movie', { fps: 24 })).views[0]).toMatchObject({ frames: 48, fps: 23.976 });
    expect(resolved(wish(artifact('b.mp4', 'video/mp4'), 'movie')).views[0]).not.toHaveProperty('fps');
  });
});

describe('[TO12] materials', () => {
  it('are made of the pictures with one name: one is loaded, and the others are parts of it', () => {
    const [rough, colour, normal] = [png(), png(), png()];
    const { views, problems } = resolved(
      wish(rough, 'material', { name: 'brick', map: 'roughness', output: 'r' }),
      wish(colour, 'material', { name: 'brick', map: 'base_color', output: 'c' }),
      wish(normal, 'material', { name: 'brick', map: 'normal', output: 'n' }),
    );
    expect(problems).toEqual([]);
    expect(views.map((view) => view?.name)).toEqual(['brick', 'brick', 'brick']);
    expect(views.map((view) => view?.partOf)).toEqual([colour.artifactId, undefined, colour.artifactId]);
    expect(views[1]?.maps).toEqual([
      { map: 'base_color', artifactId: colour.artifactId, path: colour.path, colorSpace: 'sRGB' },
      { map: 'roughness', artifactId: rough.artifactId, path: rough.path, colorSpace: 'Non-Color' },
      { map: 'normal', artifactId: normal.artifactId, path: normal.path, colorSpace: 'Non-Color' },
    ]);
  });

  it('are several where the outputs have several files each, by their places', () => {
    const parts = [0, 1].flatMap((index) =>
      (['base_color', 'normal'] as const).map((map) => wish(png(), 'material', { name: 'brick', map, index })),
    );
    const { views } = resolved(...parts);
    expect(views.map((view) => [view?.name, view?.maps?.length])).toEqual([
      ['brick', 2],
      ['brick', undefined],
      ['brick-2', 2],
      ['brick-2', undefined],
    ]);
  });

  it('leave out a picture that is none, and say so', () => {
    const { views, problems } = resolved(
      wish(png(), 'material', { name: 'brick', map: 'base_color' }),
      wish(artifact('n.svg', 'image/svg+xml'), 'material', { name: 'brick', map: 'normal' }),
    );
    expect(views[0]?.maps).toHaveLength(1);
    expect(views[1]).toBeUndefined();
    expect(problems.map(({ code }) => code)).toEqual(['ASSET_MISFIT']);
  });
});

describe('[TO13] pictures that give light', () => {
  it.each<readonly [string, string, Partial<ArtifactView>, string]>([
    ['sky.hdr', 'image/vnd.radiance', { width: 2048, height: 1024 }, 'hdri'],
    ['sky.exr', 'image/x-exr', { width: 512, height: 256 }, 'hdri'],
    ['sky.exr', 'image/x-exr', {}, 'hdri'],
    ['sky.exr', 'image/x-exr', { width: 512, height: 512 }, 'image !'],
    ['sky.png', 'image/png', { width: 512, height: 256 }, 'image !'],
  ])('%s (%s) %j is: %s', (path, mediaType, more, expected) => {
    expect(becomes(artifact(path, mediaType, more), 'hdri')).toBe(expected);
  });

  it('are in linear light', () => {
    expect(resolved(wish(artifact('sky.hdr', 'image/vnd.radiance'), 'hdri')).views[0]?.colorSpace).toBe('Linear Rec.709');
  });
});

describe('[TO14] meshes', () => {
  it.each([
    ['a.glb', 'model/gltf-binary', 'glb'],
    ['a.gltf', 'model/gltf+json', 'gltf'],
    ['a.obj', 'model/obj', 'obj'],
    ['a.fbx', 'application/x-fbx', 'fbx'],
    ['a.stl', 'model/stl', 'stl'],
    ['a.ply', 'model/ply', 'ply'],
    ['a.usdz', 'model/vnd.usdz+zip', 'usdz'],
    ['a.usdc', 'model/vnd.usd', 'usdc'],
    ['a.usda', 'model/vnd.usd', 'usda'],
  ])('say how %s is read', (path, mediaType, format) => {
    expect(resolved(wish(artifact(path, mediaType), 'mesh')).views[0]).toMatchObject({ kind: 'mesh', format });
  });
});
