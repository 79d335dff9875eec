/** Graphs that need no model, one for each kind of output: what a server that knows their nodes must give. Also what scripts/record-outputs.ts records. */
import type { ArtifactKind } from '#protocol/views.ts';

interface NodeJson {
  readonly class_type: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

export interface OutputCase {
  readonly name: string;
  readonly graph: Readonly<Record<string, NodeJson>>;
  /** By node: the kinds of its files in order; `temp` where they are temporary, `guess` where the node does not report them. */
  readonly files: Readonly<Record<string, readonly ArtifactKind[]>>;
  readonly temp?: boolean;
  /** It needs a model that only the sandbox has without having it. */
  readonly onSandbox?: boolean;
  readonly isGuess?: boolean;
  /** By node, in order; a pattern where the server words it. */
  readonly texts?: Readonly<Record<string, readonly (string | RegExp)[]>>;
  /** What the headers of the first file say. */
  readonly first?: Readonly<Record<string, unknown>>;
}

const node = (class_type: string, inputs: Readonly<Record<string, unknown>>): NodeJson => ({ class_type, inputs });
const empty = (color: number, batch = 1) => node('EmptyImage', { width: 64, height: 32, batch_size: batch, color });
/** Two pictures that differ, since encoders of animations leave out repetitions. */
const two = { a: empty(0xff0000), b: empty(0x0000ff), i: node('ImageBatch', { image1: ['a', 0], image2: ['b', 0] }) };
const sound = { s: node('EmptyAudio', { duration: 0.5, sample_rate: 44_100, channels: 2 }) };
const prefix = (name: string) => ({ filename_prefix: `kinds/${name}` });

export const OUTPUT_CASES: readonly OutputCase[] = [
  {
    name: 'a batch of pictures, in order',
    graph: { i: empty(0x336699, 4), out: node('SaveImage', { images: ['i', 0], ...prefix('still') }) },
    files: { out: ['image', 'image', 'image', 'image'] },
    first: { width: 64, height: 32, facts: { channels: 3, depth: 8, alpha: false } },
  },
  { name: 'a preview', graph: { i: empty(1), out: node('PreviewImage', { images: ['i', 0] }) }, files: { out: ['image'] }, temp: true },
  {
    name: 'an animated PNG',
    graph: { ...two, out: node('SaveAnimatedPNG', { images: ['i', 0], ...prefix('anim'), fps: 6, compress_level: 4 }) },
    files: { out: ['animation'] },
    first: { mediaType: 'image/png', width: 64, height: 32, facts: { frames: 2 } },
  },
  {
    name: 'an animated WebP',
    graph: {
      ...two,
      out: node('SaveAnimatedWEBP', { images: ['i', 0], ...prefix('anim'), fps: 6, lossless: true, quality: 80, method: 'default' }),
    },
    files: { out: ['animation'] },
    first: { mediaType: 'image/webp', facts: { frames: 2 } },
  },
  {
    name: 'a WebM film',
    graph: { ...two, out: node('SaveWEBM', { images: ['i', 0], ...prefix('film'), codec: 'vp9', fps: 24, crf: 32 }) },
    files: { out: ['video'] },
    first: { mediaType: 'video/webm', width: 64, height: 32, facts: { frames: 2, fps: 24 } },
  },
  {
    name: 'a WebM film in AV1',
    graph: { ...two, out: node('SaveWEBM', { images: ['i', 0], ...prefix('film'), codec: 'av1', fps: 24, crf: 32 }) },
    files: { out: ['video'] },
    first: { mediaType: 'video/webm', facts: { frames: 2, codec: 'av1' } },
  },
  {
    name: 'a film without sound',
    graph: {
      ...two,
      v: node('CreateVideo', { images: ['i', 0], fps: 8 }),
      out: node('SaveVideo', { video: ['v', 0], ...prefix('mute'), format: 'auto', codec: 'auto' }),
    },
    files: { out: ['video'] },
    first: { mediaType: 'video/mp4', width: 64, height: 32, facts: { frames: 2, fps: 8 } },
  },
  {
    name: 'a film with sound',
    graph: {
      ...two,
      ...sound,
      v: node('CreateVideo', { images: ['i', 0], fps: 8, audio: ['s', 0] }),
      out: node('SaveVideo', { video: ['v', 0], ...prefix('loud'), format: 'auto', codec: 'auto' }),
    },
    files: { out: ['video'] },
    first: { facts: { frames: 2, channels: 2, sampleRate: 44_100 } },
  },
  {
    name: 'a FLAC sound',
    graph: { ...sound, out: node('SaveAudio', { audio: ['s', 0], ...prefix('sound') }) },
    files: { out: ['audio'] },
    first: { mediaType: 'audio/flac', duration: 0.5, facts: { channels: 2, sampleRate: 44_100, depth: 16, codec: 'flac' } },
  },
  {
    name: 'an MP3 sound',
    graph: { ...sound, out: node('SaveAudioMP3', { audio: ['s', 0], ...prefix('sound'), quality: 'V0' }) },
    files: { out: ['audio'] },
    first: { mediaType: 'audio/mpeg', facts: { channels: 2, sampleRate: 44_100, codec: 'mp3' } },
  },
  {
    name: 'an Opus sound',
    graph: { ...sound, out: node('SaveAudioOpus', { audio: ['s', 0], ...prefix('sound'), quality: '128k' }) },
    files: { out: ['audio'] },
    first: { mediaType: 'audio/ogg', facts: { channels: 2, sampleRate: 48_000, codec: 'opus' } },
  },
  {
    name: 'a sound to listen to',
    graph: { ...sound, out: node('PreviewAudio', { audio: ['s', 0] }) },
    files: { out: ['audio'] },
    temp: true,
  },
  {
    name: 'a latent',
    graph: {
      l: node('EmptyLatentImage', { width: 64, height: 64, batch_size: 1 }),
      out: node('SaveLatent', { samples: ['l', 0], ...prefix('latent') }),
    },
    files: { out: ['latent'] },
    first: { mediaType: 'application/x-comfy-latent', extension: 'latent' },
  },
  {
    name: 'a text that is shown',
    graph: { i: node('PrimitiveStringMultiline', { value: 'two\nlines é 中' }), out: node('PreviewAny', { source: ['i', 0] }) },
    files: {},
    texts: { out: ['two\nlines é 中'] },
  },
  {
    name: 'a text that is saved',
    graph: {
      t: node('PrimitiveStringMultiline', { value: '# a title' }),
      out: node('SaveText', { text: ['t', 0], ...prefix('text'), format: 'md' }),
    },
    files: { out: ['text'] },
    texts: { out: ['# a title'] },
    first: { extension: 'txt' },
  },
  {
    name: 'two pictures to compare',
    graph: { a: empty(2), b: empty(3), out: node('ImageCompare', { image_a: ['a', 0], image_b: ['b', 0], compare_view: 'x' }) },
    files: { out: ['image', 'image'] },
    temp: true,
  },
  {
    name: 'a mask to look at',
    graph: { m: node('SolidMask', { value: 1, width: 16, height: 16 }), out: node('MaskPreview', { mask: ['m', 0] }) },
    files: { out: ['image'] },
    temp: true,
  },
  {
    name: 'a drawing of the sandbox',
    graph: {
      d: node('SandboxSvg', { text: 'hello', width: 40, height: 20 }),
      out: node('SaveSVGNode', { svg: ['d', 0], ...prefix('svg') }),
    },
    files: { out: ['image'] },
    first: { mediaType: 'image/svg+xml', width: 40, height: 20 },
  },
  {
    name: 'a drafted mesh of the sandbox',
    onSandbox: true,
    graph: {
      l: node('EmptyLatentHunyuan3Dv2', { resolution: 3072, batch_size: 2 }),
      m: node('CheckpointLoaderSimple', { ckpt_name: 'sd_xl_base_1.0.safetensors' }),
      v: node('VAEDecodeHunyuan3D', { samples: ['l', 0], vae: ['m', 2], num_chunks: 8000, octree_resolution: 256 }),
      x: node('VoxelToMeshBasic', { voxel: ['v', 0], threshold: 0.6 }),
      out: node('SaveGLB', { mesh: ['x', 0], ...prefix('mesh') }),
    },
    files: { out: ['model3d', 'model3d'] },
    first: { mediaType: 'model/gltf-binary' },
  },
  {
    name: 'several savers that share a prefix',
    graph: {
      i: empty(4),
      j: empty(7),
      one: node('SaveImage', { images: ['i', 0], ...prefix('shared') }),
      two: node('SaveImage', { images: ['j', 0], ...prefix('shared') }),
    },
    files: { one: ['image'], two: ['image'] },
  },
  ...ofTestNodes(),
];

/** With test/fixtures/comfyui-nodes among the custom nodes of a real server: the ways in which packs report. */
function ofTestNodes(): readonly OutputCase[] {
  const reports = (shape: string) => ({ out: node('CallsheetReports', { ...prefix(shape), shape }) });
  return [
    {
      name: 'an SVG drawing',
      graph: { d: node('CallsheetSvg', { text: 'hello' }), out: node('SaveSVGNode', { svg: ['d', 0], ...prefix('svg') }) },
      files: { out: ['image'] },
      first: { mediaType: 'image/svg+xml', width: 40, height: 20 },
    },
    {
      name: 'a batch of meshes',
      graph: { m: node('CallsheetMesh', { count: 2 }), out: node('SaveGLB', { mesh: ['m', 0], ...prefix('mesh') }) },
      files: { out: ['model3d', 'model3d'] },
    },
    { name: 'gifs with format, frame rate and full path', graph: reports('gifs'), files: { out: ['image'] } },
    { name: 'a mesh with unknown fields', graph: reports('mesh'), files: { out: ['model3d'] } },
    { name: 'a path among nulls under result', graph: reports('path'), files: { out: ['model3d'] } },
    { name: 'an absolute path of the server', graph: reports('absolute'), files: { out: ['model3d'] } },
    { name: 'a file deep inside, once', graph: reports('nested'), files: { out: ['image'] } },
    {
      name: 'texts in all shapes',
      graph: reports('texts'),
      files: {},
      texts: {
        out: ['one', 'two', 'three', '4', 'five', /^(?:a\.glb|b\.png|#fff)$/, /^(?:a\.glb|b\.png|#fff)$/, /^(?:a\.glb|b\.png|#fff)$/],
      },
    },
    {
      name: 'a picture, a mesh named twice, and a caption of one node',
      graph: reports('mixed'),
      files: { out: ['image', 'model3d'] },
      texts: { out: ['caption'] },
    },
    {
      name: 'two lists under keys of their own',
      graph: { out: node('CallsheetCompare', { count: 2 }) },
      files: { out: ['image', 'image', 'image', 'image'] },
      temp: true,
    },
    {
      name: 'what an expansion saved, as the node that the author knows, in order',
      graph: { out: node('CallsheetExpands', { ...prefix('expanded'), count: 12 }) },
      files: { out: Array.from({ length: 12 }, () => 'image' as const) },
    },
    {
      name: 'a list, in order',
      graph: { l: node('CallsheetListOfPictures', { count: 3 }), out: node('SaveImage', { images: ['l', 0], ...prefix('list') }) },
      files: { out: ['image', 'image', 'image'] },
    },
    {
      name: 'nothing of a node that was blocked',
      graph: {
        i: empty(5),
        x: node('CallsheetBlocks', { image: ['i', 0] }),
        shut: node('SaveImage', { images: ['x', 0], ...prefix('shut') }),
        open: node('SaveImage', { images: ['i', 0], ...prefix('open') }),
      },
      files: { open: ['image'] },
    },
    {
      name: 'the files of a node that reports nothing',
      graph: { out: node('CallsheetSilentSaver', { ...prefix('silent'), count: 3 }) },
      files: { out: ['image', 'image', 'image'] },
      isGuess: true,
    },
    {
      name: 'the files of a node that reports nothing and has a folder of its own',
      graph: { out: node('CallsheetFolderSaver', { ...folder('shots/a'), show_previews: 'false' }) },
      files: { out: ['image', 'image'] },
      isGuess: true,
    },
    {
      name: 'the files of a node that reports half of its folder',
      graph: { out: node('CallsheetFolderSaver', { ...folder('.'), show_previews: 'true' }) },
      files: { out: ['image', 'image'] },
    },
    {
      name: 'pictures that a node wants to send over the socket',
      graph: { i: empty(6, 2), out: node('SaveImageWebsocket', { images: ['i', 0] }) },
      files: { out: ['image', 'image'] },
      temp: true,
    },
  ];
}

function folder(output_path: string) {
  return {
    output_path,
    filename_prefix: 'Comfy UI',
    filename_delimiter: '-',
    filename_number_padding: 3,
    filename_number_start: 'true',
    extension: 'png',
  };
}
