/** Nodes that hand on pictures, masks, sounds and the size of latents as they came, or as a copy in which nothing differs. */
import { all, HANDED_ON, type NoOp, whenZero } from './no-op.ts';

/** Of these, torch's interpolation gives every value back when the size stays: its weights are exactly 1 and 0. */
const EXACT = new Set(['nearest-exact', 'bilinear', 'area', 'bicubic']);

export const PICTURE_NO_OPS: readonly NoOp[] = [
  {
    classType: 'AudioAdjustVolume',
    when: '`volume` is 0',
    source: 'nodes_audio.py, AudioAdjustVolume: returns the sound before it looks at it',
    passes: whenZero('volume', 'audio'),
    why: `It changes the volume by 0 dB: ${HANDED_ON}.`,
  },
  {
    classType: 'ImageStitch',
    when: 'it has no `image2`',
    source: 'nodes_images.py, ImageStitch.stitch: returns (image1,)',
    passes: (at) => (at.has('image2') ? undefined : ['image1']),
    why: `It has no second picture: ${HANDED_ON}.`,
  },
  {
    classType: 'ImageBlur',
    when: '`blur_radius` is 0',
    source: 'nodes_post_processing.py, Blur.execute: returns (image)',
    passes: whenZero('blur_radius', 'image'),
    why: `The radius is 0: ${HANDED_ON}.`,
  },
  {
    classType: 'ImageSharpen',
    when: '`sharpen_radius` is 0',
    source: 'nodes_post_processing.py, Sharpen.execute: returns (image)',
    passes: whenZero('sharpen_radius', 'image'),
    why: `The radius is 0: ${HANDED_ON}.`,
  },
  {
    classType: 'ImageScale',
    when: '`width` and `height` are 0',
    source: 'nodes.py, ImageScale.upscale: s = image',
    passes: (at) => (all(at, ['width', 'height'], 0) ? ['image'] : undefined),
    why: `Neither width nor height is given: ${HANDED_ON}.`,
  },
  {
    classType: 'ImageScale',
    when: 'the size is the one that the picture has by the graph, by any method but `lanczos`',
    source:
      'nodes.py, ImageScale.upscale; utils.py, common_upscale: torch interpolates from a size to the same, with weights of exactly 1 and 0',
    passes(at) {
      const { width, height } = at.picture('image');
      if (width === undefined || height === undefined || !EXACT.has(at.word('upscale_method') ?? '')) return undefined;
      return at.number('width') === width && at.number('height') === height ? ['image'] : undefined;
    },
    isCopy: true,
    why: 'It scales to the size that the picture has already.',
  },
  {
    classType: 'ImageScaleBy',
    when: '`scale_by` is 1, by any method but `lanczos`',
    source: 'nodes.py, ImageScaleBy.upscale: the size times 1, then as ImageScale',
    passes: (at) => (at.number('scale_by') === 1 && EXACT.has(at.word('upscale_method') ?? '') ? ['image'] : undefined),
    isCopy: true,
    why: 'It scales by 1.',
  },
  {
    classType: 'LatentUpscale',
    when: '`width` and `height` are 0',
    source: 'nodes.py, LatentUpscale.upscale: s = samples',
    passes: (at) => (all(at, ['width', 'height'], 0) ? ['samples'] : undefined),
    why: `Neither width nor height is given: ${HANDED_ON}.`,
  },
  {
    classType: 'LatentUpscaleBy',
    when: '`scale_by` is 1, by any method but `bislerp`',
    source: 'nodes.py, LatentUpscaleBy.upscale: the size times 1, then as ImageScale',
    passes: (at) => (at.number('scale_by') === 1 && EXACT.has(at.word('upscale_method') ?? '') ? ['samples'] : undefined),
    isCopy: true,
    why: 'It scales by 1.',
  },
  {
    classType: 'ImageCrop',
    when: 'it begins at 0, 0 and is no smaller than the picture is by the graph',
    source: 'nodes_images.py, ImageCrop.crop: image[:, 0:height, 0:width, :]',
    passes(at) {
      const { width, height } = at.picture('image');
      const [x, y, right, bottom] = ['x', 'y', 'width', 'height'].map((name) => at.number(name));
      if (width === undefined || height === undefined || right === undefined || bottom === undefined) return undefined;
      return x === 0 && y === 0 && right >= width && bottom >= height ? ['image'] : undefined;
    },
    isCopy: true,
    why: 'It cuts out the whole picture.',
  },
  {
    classType: 'ImagePadForOutpaint',
    when: 'all four sides are 0 and nothing takes its mask',
    source: 'nodes.py, ImagePadForOutpaint.expand_image: copies the picture into one of the same size',
    passes: (at) => (all(at, ['left', 'top', 'right', 'bottom'], 0) ? ['image'] : undefined),
    isCopy: true,
    why: 'It adds nothing on any side.',
  },
  {
    classType: 'ImageRotate',
    when: '`rotation` is `none`',
    source: 'nodes_images.py, ImageRotate.rotate: torch.rot90 by 0 quarters',
    passes: (at) => (at.word('rotation') === 'none' ? ['image'] : undefined),
    isCopy: true,
    why: 'It turns by nothing.',
  },
  {
    classType: 'LatentRotate',
    when: '`rotation` is `none`',
    source: 'nodes.py, LatentRotate.rotate: torch.rot90 by 0 quarters',
    passes: (at) => (at.word('rotation') === 'none' ? ['samples'] : undefined),
    isCopy: true,
    why: 'It turns by nothing.',
  },
  {
    classType: 'RepeatImageBatch',
    when: '`amount` is 1',
    source: 'nodes_images.py, RepeatImageBatch.repeat: image.repeat((1, 1, 1, 1))',
    passes: (at) => (at.number('amount') === 1 ? ['image'] : undefined),
    isCopy: true,
    why: 'It repeats once.',
  },
  {
    classType: 'ImageBlend',
    when: '`blend_factor` is 0, and by the graph both are as many pictures of three channels and the first has only values from 0 to 1',
    source: 'nodes_post_processing.py, Blend.execute: image1 * 1 + blended * 0, cut off at 0 and 1',
    passes(at) {
      const [first, second] = [at.picture('image1'), at.picture('image2')];
      const areAlike = first.count !== undefined && first.count === second.count && first.channels === 3 && second.channels === 3;
      return at.number('blend_factor') === 0 && areAlike && first.isUnit === true && second.isUnit === true ? ['image1'] : undefined;
    },
    isCopy: true,
    why: 'It blends in nothing (0).',
  },
  {
    classType: 'LTXVPreprocess',
    when: '`img_compression` is 0',
    source: 'nodes_lt.py, preprocess: returns the picture when crf is 0',
    passes: whenZero('img_compression', 'image'),
    isCopy: true,
    why: 'It compresses by nothing (0).',
  },
  {
    classType: 'GrowMask',
    when: '`expand` is 0',
    source: 'nodes_mask.py, GrowMask.expand_mask: no round of its loop',
    passes: whenZero('expand', 'mask'),
    isCopy: true,
    why: 'It grows by nothing (0).',
  },
  {
    classType: 'FeatherMask',
    when: 'all four sides are 0',
    source: 'nodes_mask.py, FeatherMask.feather: no round of any loop',
    passes: (at) => (all(at, ['left', 'top', 'right', 'bottom'], 0) ? ['mask'] : undefined),
    isCopy: true,
    why: 'It feathers no side.',
  },
];
