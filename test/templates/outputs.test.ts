// What a template says of its outputs: how they are converted and what they become, checked before any run.
import { describe, expect, it } from 'vitest';
import { ASSET_KINDS, CONVERSIONS } from '#protocol/assets.ts';
import { needsOf } from '#templates/needs.ts';
import { renderOutputs } from '#templates/outputs.ts';
import { codes, compile, compiled, GRAPH, manifest, media, scope } from './support.ts';

const FROM = '{steps.a.image}';

/** One output `o`; node 9 is of `classType`. */
function problemsOf(output: object, classType = 'SaveImage') {
  const graph = { ...GRAPH, '9': { ...GRAPH['9'], class_type: classType } };
  return compile(manifest({ outputs: { o: { from: FROM, ...output } } }), { 'w.json': graph }).problems;
}

const said = (output: object, classType?: string): readonly string[] =>
  problemsOf(output, classType).map(({ code, severity }) => `${code} ${severity}`);

describe('[TO1] embed', () => {
  it('is true or false, and false where nobody says so', () => {
    expect(said({ embed: true })).toEqual([]);
    expect(said({ embed: 'yes' })).toEqual(['TEMPLATE_FIELD_INVALID error']);
    const template = compiled(manifest({ outputs: { a: { from: FROM }, b: { from: FROM, embed: true } } }));
    expect([...template.outputs.values()].map(({ embed }) => embed)).toEqual([false, true]);
  });
});

describe('[TO2] options of a conversion', () => {
  const OPTIONS = { quality: 50, fps: 12, maxSize: 64, format: 'png' } as const;
  const TAKEN: Readonly<Record<(typeof CONVERSIONS)[number], string>> = {
    png: 'maxSize',
    jpg: 'quality maxSize',
    webp: 'quality maxSize',
    tiff: 'maxSize',
    exr: 'maxSize',
    mp4: 'quality fps maxSize',
    webm: 'quality fps maxSize',
    gif: 'fps maxSize',
    frames: 'fps maxSize format',
    wav: '',
    flac: '',
    mp3: 'quality',
  };

  it.each(CONVERSIONS)('are those that mean something for %s, and no others', (to) => {
    const taken = Object.entries(OPTIONS).filter(
      ([option, value]) => !said({ convert: { to, [option]: value } }, 'AnyPackNode').includes('TEMPLATE_CONVERT_OPTION error'),
    );
    expect(taken.map(([option]) => option).join(' ')).toBe(TAKEN[to]);
  });

  it('have a quality of frames only where these are jpg', () => {
    expect(said({ convert: { to: 'frames', quality: 50 } })).toContain('TEMPLATE_CONVERT_OPTION error');
    expect(said({ convert: { to: 'frames', quality: 50, format: 'jpg' } })).toEqual([]);
  });

  it.each([
    { to: 'bmp' },
    { to: 'jpg', quality: 0 },
    { to: 'jpg', quality: 101 },
    { to: 'mp4', fps: 0 },
    { to: 'mp4', fps: 1000 },
    { to: 'png', maxSize: 8 },
    { to: 'png', maxSize: 100_000 },
    { to: 'frames', format: 'gif' },
    { to: 'mp4', args: '-vf scale' },
    {},
  ])('have bounds, and nothing goes past them: %j', (convert) => {
    expect(codes(problemsOf({ convert })).join()).toMatch(/^TEMPLATE_FIELD_(?:INVALID|UNKNOWN|MISSING)$/);
  });
});

describe('[TO3] a conversion is held against what the node saves', () => {
  it.each([
    ['SaveAudio', 'mp4', 1],
    ['SaveAudio', 'flac', 0],
    ['SaveVideo', 'wav', 0],
    ['SaveVideo', 'jpg', 1],
    ['SaveVideo', 'frames', 0],
    ['SaveImage', 'mp4', 0],
    ['SaveImage', 'mp3', 1],
    ['SaveGLB', 'png', 1],
    ['VHS_VideoCombine', 'gif', 0],
    // A moving picture gives its first.
    ['SaveAnimatedPNG', 'jpg', 0],
    ['SaveAnimatedWEBP', 'png', 0],
    ['SaveAnimatedWEBP', 'exr', 0],
    ['SaveAnimatedPNG', 'mp3', 1],
    ['SaveSVGNode', 'png', 1],
    ['SaveSVGNode', 'frames', 1],
    ['SaveSVGNode', 'mp4', 1],
    ['NodeOfSomePack', 'mp3', 0],
  ])('%s to %s: %i warning', (classType, to, count) => {
    expect(said({ convert: { to } }, classType)).toEqual(Array.from({ length: count }, () => 'TEMPLATE_CONVERT_MISFIT warning'));
  });

  it('is looked through choices, alternatives and several steps', () => {
    const step = (id: string) => ({ id, workflow: `${id}.json`, outputs: { image: '9' } });
    const graphOf = (classType: string) => ({ ...GRAPH, '9': { ...GRAPH['9'], class_type: classType } });
    const outputs = { o: { from: '{choices.one ?? steps.b.image}', convert: { to: 'mp3' } } };
    const choices = [{ after: 'a', from: '{steps.a.image}', into: 'one' }];
    const found = (a: string, b: string) =>
      codes(
        compile(manifest({ steps: [step('a'), step('b')], outputs, choices }), { 'a.json': graphOf(a), 'b.json': graphOf(b) }).problems,
      );
    expect(found('SaveImage', 'SaveImage')).toEqual(['TEMPLATE_CONVERT_MISFIT']);
    expect(found('SaveImage', 'SaveAudio')).toEqual([]);
    expect(found('SaveImage', 'NodeOfSomePack')).toEqual([]);
  });

  it('needs ffmpeg where neither a picture becomes a picture nor pictures become a sequence', () => {
    const outputs = {
      jpg: { from: FROM, convert: { to: 'jpg' } },
      exr: { from: FROM, convert: { to: 'exr' } },
      frames: { from: FROM, convert: { to: 'frames' } },
      small: { from: FROM, convert: { to: 'frames', maxSize: 64 } },
      film: { from: FROM, convert: { to: 'mp4' } },
      plain: { from: FROM },
    };
    const { converter } = needsOf(compiled(manifest({ outputs })));
    expect(converter?.outputs).toEqual(['exr', 'small', 'film']);
    expect(needsOf(compiled(manifest({ outputs: { jpg: outputs.jpg } }))).converter).toBeUndefined();
  });
});

describe('[TO6] kinds of assets', () => {
  it.each(ASSET_KINDS)('know %s', (kind) => {
    expect(said({ asset: { kind, ...(kind === 'material' ? { map: 'normal' } : {}) } }, 'NodeOfSomePack')).toEqual([]);
  });

  it('understand the names of before, and say what they are called now', () => {
    const [problem] = problemsOf({ asset: { kind: 'video' } }, 'SaveVideo');
    expect(problem).toMatchObject({ code: 'TEMPLATE_ASSET_KIND_OLD', severity: 'info', hint: 'Write "movie".' });
    expect(compiled(manifest({ outputs: { o: { from: FROM, asset: { kind: 'model' } } } })).outputs.get('o')?.asset?.kind).toBe('mesh');
  });

  it('warn of one that does not exist, with a guess, and go on without', () => {
    const [problem] = problemsOf({ asset: { kind: 'movi' } });
    expect(problem).toMatchObject({ code: 'TEMPLATE_ASSET_KIND_UNKNOWN', severity: 'warning', pointer: '/outputs/o/asset/kind' });
    expect(problem?.hint).toContain('movie');
  });

  it('take a colour space where there are pictures, and a map where there is a material', () => {
    expect(said({ asset: { kind: 'sound', colorSpace: 'sRGB' } }, 'SaveAudio')).toEqual(['TEMPLATE_ASSET_OPTION error']);
    expect(said({ asset: { kind: 'image', map: 'normal' } })).toEqual(['TEMPLATE_ASSET_OPTION error']);
    expect(said({ asset: { kind: 'material' } })).toEqual(['TEMPLATE_ASSET_OPTION error']);
    expect(said({ asset: { kind: 'image', colorSpace: 'Filmic' } })).toEqual(['TEMPLATE_FIELD_INVALID error']);
    expect(said({ asset: { kind: 'material', map: 'normals' } })).toEqual(['TEMPLATE_FIELD_INVALID error']);
  });
});

describe('[TO7] the kind of an asset is held against what the output can be', () => {
  it.each([
    ['SaveImage', 'image', undefined, []],
    ['SaveImage', 'movie', undefined, ['TEMPLATE_ASSET_MISFIT warning']],
    ['SaveImage', 'movie', 'mp4', []],
    ['SaveImage', 'image_sequence', undefined, []],
    ['SaveVideo', 'image_sequence', undefined, ['TEMPLATE_ASSET_MISFIT warning']],
    ['SaveVideo', 'image_sequence', 'frames', []],
    ['SaveVideo', 'sound', undefined, []],
    ['SaveAudio', 'movie', undefined, ['TEMPLATE_ASSET_MISFIT warning']],
    ['SaveImage', 'sound', 'jpg', ['TEMPLATE_ASSET_MISFIT error']],
    ['NodeOfSomePack', 'sound', 'jpg', ['TEMPLATE_ASSET_MISFIT error']],
    ['NodeOfSomePack', 'mesh', undefined, []],
    ['SaveGLB', 'mesh', undefined, []],
    ['SaveImage', 'mesh', undefined, ['TEMPLATE_ASSET_MISFIT warning']],
    ['SaveImage', 'hdri', 'exr', []],
  ])('%s as %s, converted to %s: %j', (classType, kind, to, expected) => {
    const convert = to === undefined ? {} : { convert: { to } };
    expect(said({ asset: { kind }, ...convert }, classType)).toEqual(expected);
  });

  it('offers what it could be', () => {
    const [problem] = problemsOf({ asset: { kind: 'image_sequence' } }, 'SaveVideo');
    expect(problem?.hint).toBe('Add "convert": { "to": "frames" }. Or: Write "movie" or "sound".');
  });
});

describe('[TO8] patterns of names', () => {
  it('take parameters, filters and {index}, and are checked as such', () => {
    const parameters = { prompt: { type: 'string', default: 'A Red Fox' } };
    const outputs = { o: { from: FROM, asset: { kind: 'image', name: '{prompt|slug}-{index|pad:3}', collection: 'shots/{prompt}' } } };
    const template = compiled(manifest({ parameters, outputs }, { set: { '6.text': '{prompt}' } }));
    const at = scope({ prompt: 'A Red Fox' }, { steps: { a: { image: [media('/one.png'), media('/two.png')] } } });
    const asset = renderOutputs(template, at).value?.['o']?.asset;
    expect([0, 1].map((index) => asset?.nameOf(index))).toEqual(['a-red-fox-000', 'a-red-fox-001']);
    expect(asset?.collectionOf(0)).toBe('shots/A Red Fox');
    expect(said({ asset: { kind: 'image', name: '{steps.b.image}' } })).toEqual(['TEMPLATE_REFERENCE_UNKNOWN error']);
  });
});

describe('[TO12] pictures of one material', () => {
  const outputs = (second: object) => ({
    base: { from: FROM, asset: { kind: 'material', name: 'wall', map: 'base_color' } },
    other: { from: FROM, asset: { kind: 'material', name: 'wall', map: 'normal', ...second } },
  });

  it('each have a place of their own in it', () => {
    expect(codes(compile(manifest({ outputs: outputs({}) })).problems)).toEqual([]);
    expect(compile(manifest({ outputs: outputs({ map: 'base_color' }) })).problems).toMatchObject([
      { code: 'TEMPLATE_ASSET_OPTION', pointer: '/outputs/other/asset/map' },
    ]);
    expect(codes(compile(manifest({ outputs: outputs({ map: 'base_color', name: 'floor' }) })).problems)).toEqual([]);
  });
});
