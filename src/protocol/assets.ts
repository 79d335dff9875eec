/** What files become in Blender: resolved here, so that a client only loads what it is told (docs/results.md, Assets). */

export const ASSET_KINDS = ['image', 'image_sequence', 'movie', 'sound', 'mesh', 'hdri', 'material', 'text'] as const;
export type AssetKind = (typeof ASSET_KINDS)[number];

/** As Blender 4 calls them; up to 3.6 the last one is `Linear`. */
export const COLOR_SPACES = ['sRGB', 'Non-Color', 'Linear Rec.709'] as const;
export type ColorSpace = (typeof COLOR_SPACES)[number];

/** What a picture is in a material, after the inputs of Blender's Principled BSDF. */
export const MATERIAL_MAPS = [
  'base_color',
  'metallic',
  'roughness',
  'alpha',
  'normal',
  'bump',
  'displacement',
  'ambient_occlusion',
  'emission',
  'specular',
] as const;
export type MaterialMap = (typeof MATERIAL_MAPS)[number];

/** Formats of meshes that Blender reads without add-ons of others. */
export const MESH_FORMATS = ['glb', 'gltf', 'obj', 'fbx', 'stl', 'ply', 'usd', 'usda', 'usdc', 'usdz'] as const;
export type MeshFormat = (typeof MESH_FORMATS)[number];

export interface AssetView {
  readonly kind: AssetKind;
  /** Unique among the assets of the run, and short enough for a name in Blender. A file that is `partOf` another has that one's. */
  readonly name: string;
  /** Collection, or with slashes collections in each other, that it belongs in. */
  readonly collection?: string;
  /** Of pictures. */
  readonly colorSpace?: ColorSpace;
  /** Of image sequences and movies, as far as it is known. */
  readonly frames?: number;
  readonly fps?: number;
  /** Of an image sequence: number of the first file, and the names of all of them with `#` for each digit of the number. */
  readonly firstFrame?: number;
  readonly pattern?: string;
  /** Of a mesh: how it is read. */
  readonly format?: MeshFormat;
  /** What this picture is in its material. */
  readonly map?: MaterialMap;
  /** Of a material: all of its pictures, this one among them. */
  readonly maps?: readonly MapView[];
  /** The artifactId of the file that is loaded instead, with this one as a part of it. */
  readonly partOf?: string;
}

export interface MapView {
  readonly map: MaterialMap;
  readonly artifactId: string;
  /** Absolute path on the daemon's machine. */
  readonly path: string;
  readonly colorSpace: ColorSpace;
}

/** What a template asks for in the place of what a step gave. */
export const CONVERSIONS = ['png', 'jpg', 'webp', 'tiff', 'exr', 'mp4', 'webm', 'gif', 'frames', 'wav', 'flac', 'mp3'] as const;
export type ConversionTarget = (typeof CONVERSIONS)[number];

/** Formats of single pictures that a film is taken apart into. */
export const FRAME_FORMATS = ['png', 'jpg', 'tiff'] as const;
export type FrameFormat = (typeof FRAME_FORMATS)[number];
