/** One graph per pixel node, and by how many of 255 levels its picture may differ from a real ComfyUI's (docs/sandbox.md). */
import sharp from 'sharp';
import type { TestGraph } from '../backends/sandbox/graphs.ts';

export interface PixelCase {
  readonly name: string;
  /** Levels of 255 in any channel of any pixel; 0: exact. */
  readonly tolerance: number;
  readonly graph: TestGraph;
}

export const PHOTO = 'callsheet-pixel-photo.png';
export const CUTOUT = 'callsheet-pixel-cutout.png';

type Link = [string, number];
const IMAGE: Link = ['1', 0];
const SMALL: Link = ['2', 0];
const MASK: Link = ['2', 1];

/** The node under test has id 10; node 1 is the photo, node 2 a smaller picture with alpha. */
function picture(class_type: string, inputs: TestGraph[string]['inputs'], output: Link = ['10', 0]): TestGraph {
  return {
    '1': { class_type: 'LoadImage', inputs: { image: PHOTO } },
    '2': { class_type: 'LoadImage', inputs: { image: CUTOUT } },
    '10': { class_type, inputs },
    '20': { class_type: 'SaveImage', inputs: { images: output, filename_prefix: `pixel/${class_type}` } },
  };
}

function mask(class_type: string, inputs: TestGraph[string]['inputs'], output: Link = ['10', 0]): TestGraph {
  return { ...picture(class_type, inputs, ['15', 0]), '15': { class_type: 'MaskToImage', inputs: { mask: output } } };
}

const exact = (name: string, graph: TestGraph): PixelCase => ({ name, tolerance: 0, graph });
const near = (name: string, graph: TestGraph): PixelCase => ({ name, tolerance: 1, graph });

const scale = (method: string, width: number, height: number, crop = 'disabled'): TestGraph =>
  picture('ImageScale', { image: IMAGE, upscale_method: method, width, height, crop });
const blend = (mode: string): TestGraph => picture('ImageBlend', { image1: IMAGE, image2: SMALL, blend_factor: 0.35, blend_mode: mode });

export const PIXEL_CASES: readonly PixelCase[] = [
  exact('LoadImage and SaveImage', { ...picture('ImageInvert', { image: IMAGE }, IMAGE) }),
  exact('LoadImage with alpha', { ...picture('ImageInvert', { image: IMAGE }, SMALL) }),
  exact('LoadImage, mask of the alpha', mask('InvertMask', { mask: MASK }, MASK)),
  exact('LoadImageMask, red', mask('LoadImageMask', { image: CUTOUT, channel: 'red' })),
  exact('LoadImageMask, alpha', mask('LoadImageMask', { image: CUTOUT, channel: 'alpha' })),
  exact('ImageCrop', picture('ImageCrop', { image: IMAGE, x: 7, y: 5, width: 30, height: 100 })),
  exact('ImageInvert', picture('ImageInvert', { image: IMAGE })),
  exact('EmptyImage', picture('EmptyImage', { width: 9, height: 5, batch_size: 1, color: 0x12ab7f })),
  exact('ImageScale nearest-exact, larger', scale('nearest-exact', 173, 131)),
  exact('ImageScale nearest-exact, smaller', scale('nearest-exact', 40, 28)),
  exact('ImageScale nearest-exact, cropped to the centre', scale('nearest-exact', 64, 64, 'center')),
  exact('ImageScale nearest-exact, height from the aspect', scale('nearest-exact', 90, 0)),
  near('ImageScale bilinear, larger', scale('bilinear', 173, 131)),
  near('ImageScale bilinear, smaller', scale('bilinear', 40, 28)),
  near('ImageScale area, smaller', scale('area', 40, 28)),
  near('ImageScale bicubic, larger', scale('bicubic', 173, 131)),
  near('ImageScale bicubic, smaller', scale('bicubic', 40, 28)),
  exact('ImageScale lanczos, larger', scale('lanczos', 173, 131)),
  exact('ImageScale lanczos, smaller', scale('lanczos', 40, 28)),
  exact('ImageScaleBy nearest-exact', picture('ImageScaleBy', { image: IMAGE, upscale_method: 'nearest-exact', scale_by: 1.7 })),
  near(
    'ImageScaleToTotalPixels bilinear',
    picture('ImageScaleToTotalPixels', { image: IMAGE, upscale_method: 'bilinear', megapixels: 0.01, resolution_steps: 1 }),
  ),
  ...['normal', 'multiply', 'screen', 'overlay', 'soft_light', 'difference'].map((mode) => near(`ImageBlend ${mode}`, blend(mode))),
  exact('ImageCompositeMasked', picture('ImageCompositeMasked', { destination: IMAGE, source: SMALL, x: 11, y: 3, resize_source: false })),
  exact(
    'ImageCompositeMasked over the edge',
    picture('ImageCompositeMasked', { destination: IMAGE, source: SMALL, x: 60, y: 40, resize_source: false }),
  ),
  near(
    'ImageCompositeMasked with a mask',
    picture('ImageCompositeMasked', { destination: IMAGE, source: SMALL, x: 5, y: 9, resize_source: false, mask: MASK }),
  ),
  near(
    'ImageCompositeMasked, source resized',
    picture('ImageCompositeMasked', { destination: IMAGE, source: SMALL, x: 0, y: 0, resize_source: true }),
  ),
  exact('ImagePadForOutpaint', picture('ImagePadForOutpaint', { image: IMAGE, left: 8, top: 16, right: 24, bottom: 0, feathering: 10 })),
  near(
    'ImagePadForOutpaint, mask',
    mask('ImagePadForOutpaint', { image: IMAGE, left: 8, top: 16, right: 24, bottom: 0, feathering: 10 }, ['10', 1]),
  ),
  near('ImageBatch, second picture fitted', picture('ImageBatch', { image1: IMAGE, image2: SMALL })),
  near('ImageBlur', picture('ImageBlur', { image: IMAGE, blur_radius: 5, sigma: 1.3 })),
  near('ImageSharpen', picture('ImageSharpen', { image: IMAGE, sharpen_radius: 2, sigma: 0.8, alpha: 0.6 })),
  exact('ImageToMask, green', mask('ImageToMask', { image: IMAGE, channel: 'green' })),
  exact('InvertMask', mask('InvertMask', { mask: MASK })),
  exact('SolidMask', mask('SolidMask', { value: 0.37, width: 12, height: 7 })),
  exact('CropMask', mask('CropMask', { mask: MASK, x: 3, y: 4, width: 20, height: 20 })),
  ...['multiply', 'add', 'subtract', 'and', 'or', 'xor'].map((operation) =>
    exact(`MaskComposite ${operation}`, {
      ...mask('MaskComposite', { destination: ['3', 0], source: MASK, x: 9, y: 6, operation }),
      '3': { class_type: 'ImageToMask', inputs: { image: IMAGE, channel: 'red' } },
    }),
  ),
  exact('GrowMask', mask('GrowMask', { mask: MASK, expand: 3, tapered_corners: true })),
  exact('GrowMask, inward', mask('GrowMask', { mask: MASK, expand: -2, tapered_corners: false })),
  near('FeatherMask', mask('FeatherMask', { mask: MASK, left: 6, top: 0, right: 9, bottom: 4 })),
  exact('ImageFlip', picture('ImageFlip', { image: IMAGE, flip_method: 'x-axis: vertically' })),
  exact('ImageFlip, sideways', picture('ImageFlip', { image: IMAGE, flip_method: 'y-axis: horizontally' })),
  ...['90 degrees', '180 degrees', '270 degrees'].map((rotation) =>
    exact(`ImageRotate ${rotation}`, picture('ImageRotate', { image: IMAGE, rotation })),
  ),
  ...[0, 1].map((slot) => ({
    name: `SplitImageWithAlpha, output ${String(slot)}`,
    tolerance: slot,
    graph: {
      ...(slot === 0 ? picture('SplitImageWithAlpha', { image: ['3', 0] }) : mask('SplitImageWithAlpha', { image: ['3', 0] }, ['10', 1])),
      '3': { class_type: 'JoinImageWithAlpha', inputs: { image: IMAGE, alpha: MASK } },
    },
  })),
  near('JoinImageWithAlpha', picture('JoinImageWithAlpha', { image: IMAGE, alpha: MASK })),
];

/** Every level occurs, edges are hard, nothing is symmetric. */
export async function samplePicture(width: number, height: number, alpha: boolean): Promise<Buffer> {
  const channels = alpha ? 4 : 3;
  const data = Buffer.alloc(width * height * channels);
  let state = 7;
  for (let pixel = 0; pixel < width * height; pixel++) {
    const x = pixel % width;
    const y = Math.floor(pixel / width);
    state = (state * 1103515245 + 12345) % 2147483648;
    const noise = Math.floor(state / 65536) % 97;
    data[pixel * channels] = (x * 3 + noise) % 256;
    data[pixel * channels + 1] = (y * 5 + x) % 256;
    data[pixel * channels + 2] = x > width / 2 !== y > height / 3 ? 240 - noise : noise;
    if (alpha) data[pixel * channels + 3] = x < 5 ? 0 : y > height - 6 ? 255 : (x * 7 + y * 2) % 256;
  }
  return await sharp(data, { raw: { width, height, channels } }).png().toBuffer();
}
