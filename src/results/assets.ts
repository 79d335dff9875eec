/** What files become in Blender, from what the template says and what the files are: kinds, names, collections, colour spaces, materials. Pure. */
import type { AssetKind, AssetView, ColorSpace, MapView, MaterialMap, MeshFormat } from '#protocol/assets.ts';
import { MATERIAL_MAPS, MESH_FORMATS } from '#protocol/assets.ts';
import type { Problem } from '#protocol/problem.ts';
import type { ArtifactView } from '#protocol/views.ts';
import { assetName, collectionName, uniqueNames } from './asset-names.ts';
import { isMovingPicture } from './moving.ts';

/** One file of an output of the template, and what the template says of it. */
export interface AssetWish {
  readonly artifact: ArtifactView;
  /** Name of the template's output. */
  readonly output: string;
  /** Place among the files of the output, from 0. */
  readonly index: number;
  readonly kind: AssetKind;
  readonly name?: string | undefined;
  readonly collection?: string | undefined;
  readonly colorSpace?: ColorSpace | undefined;
  readonly map?: MaterialMap | undefined;
  /** Pictures a second that the template asked for. */
  readonly fps?: number | undefined;
}

export interface ResolvedAssets {
  /** By artifactId. */
  readonly assets: ReadonlyMap<string, AssetView>;
  /** Files that are not what they were said to become. */
  readonly problems: readonly Problem[];
}

/** A file that belongs to several outputs becomes what the last of them says; where the others say something else, that is a problem. */
export function resolveAssets(wishes: readonly AssetWish[], usualCollection: string): ResolvedAssets {
  const problems: Problem[] = [];
  const last = new Map(wishes.map((wish) => [wish.artifact.artifactId, wish]));
  problems.push(...unheard(wishes, last));
  const groups = Map.groupBy(
    [...last.values()].flatMap((wish) => fitting(wish, problems)),
    groupKey,
  );
  const leads = [...groups.values()].map((group) => leadOf(group));
  const names = uniqueNames(leads.map(({ wish, artifact }) => assetName(wish.name ?? nameOf(wish), artifact.artifactId)));
  const assets = new Map<string, AssetView>();
  for (const [at, group] of [...groups.values()].entries()) {
    const lead = leads[at];
    const name = names[at];
    if (lead === undefined || name === undefined) continue;
    for (const part of group) {
      const view = viewOf(part, name, usualCollection);
      const isLead = part === lead;
      const maps = isLead && part.kind === 'material' ? { maps: mapsOf(group) } : {};
      assets.set(part.artifact.artifactId, { ...view, ...maps, ...(isLead ? {} : { partOf: lead.artifact.artifactId }) });
    }
  }
  return { assets, problems };
}

// --- helpers ---

/** A wish that the file can fulfil. */
interface Fitting {
  readonly wish: AssetWish;
  readonly artifact: ArtifactView;
  readonly kind: AssetKind;
}

/** Formats that Blender opens as pictures; WebP since 3.4. */
const PICTURES: ReadonlySet<string> = new Set([
  'image/png',
  'image/jpeg',
  'image/webp',
  'image/tiff',
  'image/x-exr',
  'image/vnd.radiance',
  'image/bmp',
]);
const MOVIES: ReadonlySet<string> = new Set([
  'video/mp4',
  'video/quicktime',
  'video/webm',
  'video/x-matroska',
  'video/x-msvideo',
  'video/ogg',
  'image/gif',
]);
const LIGHTS: ReadonlySet<string> = new Set(['image/x-exr', 'image/vnd.radiance']);
const MESHES: Readonly<Record<string, MeshFormat>> = {
  'model/gltf-binary': 'glb',
  'model/gltf+json': 'gltf',
  'model/obj': 'obj',
  'application/x-fbx': 'fbx',
  'model/stl': 'stl',
  'model/ply': 'ply',
  'model/vnd.usdz+zip': 'usdz',
};

/** Outputs whose word on a file is not the last, and another one. */
function unheard(wishes: readonly AssetWish[], last: ReadonlyMap<string, AssetWish>): readonly Problem[] {
  const said = ({ kind, map }: AssetWish) => JSON.stringify([kind, map]);
  return wishes.flatMap((wish): Problem[] => {
    const { artifact, output, kind } = wish;
    const heard = last.get(artifact.artifactId) ?? wish;
    if (said(heard) === said(wish)) return [];
    const message = `${fileName(artifact)} is a file of the output "${heard.output}", too, and becomes what that one says, no ${kind} of the output "${output}".`;
    const hint = 'One file becomes one thing: give each output its own, by a saver of its own in the workflow or by "convert".';
    return [{ code: 'ASSET_MISFIT', severity: 'warning', message, hint, step: artifact.step }];
  });
}

const fileName = ({ path }: ArtifactView): string => path.split(/[\\/]/).at(-1) ?? '';

function fitting(wish: AssetWish, problems: Problem[]): readonly Fitting[] {
  const { artifact, kind, output } = wish;
  const why = misfit(artifact, kind);
  if (why === undefined) return [{ wish, artifact, kind }];
  const own = ownKind(artifact);
  const instead = own === undefined ? 'nothing that Blender loads by itself' : `of the kind "${own}"`;
  problems.push({
    code: 'ASSET_MISFIT',
    severity: 'warning',
    message: `${fileName(artifact)} of the output "${output}" cannot be loaded as ${kind}: ${why}. It is ${instead}.`,
    hint: hintFor(kind, artifact),
    step: artifact.step,
  });
  return own === undefined ? [] : [{ wish, artifact, kind: own }];
}

function hintFor(kind: AssetKind, { mediaType }: ArtifactView): string {
  if (kind === 'movie') return 'Add "convert": { "to": "mp4" } to the output, or change its kind.';
  if (kind === 'image' && mediaType.startsWith('image/')) return 'Add "convert": { "to": "png" } to the output.';
  if (kind === 'image_sequence') return 'Add "convert": { "to": "frames" } to the output.';
  return 'Change "kind" of the output\'s asset, or where it takes its files from.';
}

/** Why the file cannot be loaded so, as a clause; undefined when it can. */
function misfit(artifact: ArtifactView, kind: AssetKind): string | undefined {
  const { mediaType, width, height } = artifact;
  const isMoving = isMovingPicture(artifact) && mediaType === 'image/webp';
  const isPicture = PICTURES.has(mediaType) && !isMoving;
  switch (kind) {
    case 'image':
    case 'material':
      return isPicture ? undefined : `Blender opens no ${isMoving ? 'moving ' : ''}${mediaType} as a picture`;
    case 'image_sequence':
      return artifact.sequence === undefined
        ? 'it is no sequence of pictures'
        : isPicture
          ? undefined
          : `Blender opens no ${mediaType} as a picture`;
    case 'movie':
      return MOVIES.has(mediaType) ? undefined : `Blender opens no ${mediaType} as a movie`;
    case 'sound':
      return mediaType.startsWith('audio/') || MOVIES.has(mediaType) ? undefined : `${mediaType} is no sound`;
    case 'mesh':
      return meshFormat(artifact) === undefined ? `Blender opens no ${mediaType} as a mesh` : undefined;
    case 'hdri':
      if (!LIGHTS.has(mediaType)) return 'a picture that gives light is OpenEXR or Radiance HDR';
      // Nobody measured it: it is believed.
      return width === undefined || height === undefined || width === 2 * height
        ? undefined
        : `it is ${String(width)} × ${String(height)} and not twice as wide as high`;
    default:
      return mediaType.startsWith('text/') || mediaType === 'application/json' ? undefined : `${mediaType} is no text`;
  }
}

/** What the file is by itself. */
function ownKind(artifact: ArtifactView): AssetKind | undefined {
  return (['image_sequence', 'image', 'movie', 'sound', 'mesh', 'text'] as const).find((kind) => misfit(artifact, kind) === undefined);
}

function meshFormat({ mediaType, path }: ArtifactView): MeshFormat | undefined {
  const extension = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  if (mediaType === 'model/vnd.usd') return MESH_FORMATS.find((format) => format === extension) ?? 'usd';
  return Object.hasOwn(MESHES, mediaType) ? MESHES[mediaType] : undefined;
}

/** Pictures of one material belong together by its name and their places; everything else is by itself. */
function groupKey({ wish, artifact, kind }: Fitting): string {
  return kind === 'material' && wish.map !== undefined ? JSON.stringify(['material', wish.name ?? '', wish.index]) : artifact.artifactId;
}

function leadOf(group: readonly Fitting[]): Fitting {
  return group.toSorted((a, b) => placeOf(a) - placeOf(b))[0] as Fitting;
}

function placeOf({ wish }: Fitting): number {
  return wish.map === undefined ? 0 : MATERIAL_MAPS.indexOf(wish.map);
}

function nameOf({ output, index, map }: AssetWish): string {
  if (map !== undefined) return 'material';
  return index === 0 ? output : `${output}-${String(index + 1)}`;
}

function viewOf({ wish, artifact, kind }: Fitting, name: string, usualCollection: string): AssetView {
  const collection = collectionName(wish.collection ?? usualCollection);
  const colorSpace = colorSpaceOf(wish, artifact, kind);
  const format = kind === 'mesh' ? meshFormat(artifact) : undefined;
  return {
    kind,
    name,
    ...(collection === undefined ? {} : { collection }),
    ...(colorSpace === undefined ? {} : { colorSpace }),
    ...(format === undefined ? {} : { format }),
    ...(kind === 'material' && wish.map !== undefined ? { map: wish.map } : {}),
    ...motionOf(wish, artifact, kind),
  };
}

function motionOf({ fps: asked }: AssetWish, { sequence, facts = {} }: ArtifactView, kind: AssetKind): Partial<AssetView> {
  if (kind === 'image_sequence' && sequence !== undefined) {
    const { count, first, pattern } = sequence;
    const fps = asked ?? facts.fps;
    return { frames: count, firstFrame: first, pattern, ...(fps === undefined ? {} : { fps }) };
  }
  if (kind !== 'movie') return {};
  const fps = facts.fps ?? asked;
  return { ...(facts.frames === undefined ? {} : { frames: facts.frames }), ...(fps === undefined ? {} : { fps }) };
}

const DATA =
  /(?:^|[^a-z])(?:normals?|depth|z|masks?|mattes?|alpha|rough(?:ness)?|metal(?:lic|ness)?|height|displacement|bump|ao|occlusion|position|uv|motion|vectors?|segmentation)(?:$|[^a-z])/i;
const COLOURED: ReadonlySet<MaterialMap> = new Set(['base_color', 'emission']);

/** What pictures of data are is told by their place in a material or the name of the output. */
function colorSpaceOf({ colorSpace, map, output }: AssetWish, { mediaType }: ArtifactView, kind: AssetKind): ColorSpace | undefined {
  if (!['image', 'image_sequence', 'movie', 'hdri', 'material'].includes(kind)) return undefined;
  if (colorSpace !== undefined) return colorSpace;
  const isData = kind === 'material' && map !== undefined ? !COLOURED.has(map) : kind !== 'hdri' && DATA.test(output);
  if (isData) return 'Non-Color';
  return LIGHTS.has(mediaType) ? 'Linear Rec.709' : 'sRGB';
}

function mapsOf(group: readonly Fitting[]): readonly MapView[] {
  return group
    .toSorted((a, b) => placeOf(a) - placeOf(b))
    .flatMap(({ wish, artifact, kind }) => {
      if (wish.map === undefined) return [];
      const colorSpace = colorSpaceOf(wish, artifact, kind) ?? 'sRGB';
      return [{ map: wish.map, artifactId: artifact.artifactId, path: artifact.path, colorSpace }];
    });
}
