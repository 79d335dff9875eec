/** Classes that are known to be renamed or merged, for servers that do not tell (ComfyUI before 0.14, packs that never registered it). */
import type { NodeReplacement } from './types.ts';

/** ComfyUI's own list as of 0.38: `comfy_extras/nodes_replacements.py` there, and what its `GET /node_replacements` answers. */
const CORE = "ComfyUI's own list";
/** github.com/cubiq/ComfyUI_IPAdapter_plus, issue 559 and NODES.md: the Advanced node stands in for the old one; shapes of both from the two versions. */
const IPADAPTER = 'ComfyUI_IPAdapter_plus, issue 559';
/** README of github.com/ltdrdata/ComfyUI-Impact-Pack, section "Deprecated"; shapes from its legacy_nodes.py and its object info. */
const IMPACT = 'ComfyUI-Impact-Pack, "Deprecated"';

const same = (...names: readonly string[]) => names.map((name) => ({ to: name, from: name }));
const detector = (kind: 'bbox' | 'segm') => [
  { to: `${kind}_detector`, from: `${kind}_model` },
  ...same('image', 'threshold', 'dilation', 'crop_factor'),
  // The old node dropped nothing; the new one wants to be told.
  { to: 'drop_size', value: 1 },
  { to: 'labels', value: 'all' },
];

export const KNOWN_REPLACEMENTS: readonly NodeReplacement[] = [
  { from: 'ConditioningAverage ', to: 'ConditioningAverage', source: CORE },
  { from: 'SDV_img2vid_Conditioning', to: 'SVD_img2vid_Conditioning', source: CORE },
  { from: 'T2IAdapterLoader', to: 'ControlNetLoader', inputs: [{ to: 'control_net_name', from: 't2i_adapter_name' }], source: CORE },
  { from: 'Load3DAnimation', to: 'Load3D', source: CORE },
  { from: 'Preview3DAnimation', to: 'Preview3D', source: CORE },
  {
    from: 'ResizeImagesByLongerEdge',
    to: 'ImageScaleToMaxDimension',
    inputs: [
      { to: 'image', from: 'images' },
      { to: 'largest_size', from: 'longer_edge' },
      { to: 'upscale_method', value: 'lanczos' },
    ],
    widgets: ['longer_edge'],
    source: CORE,
  },
  {
    from: 'ImageBatch',
    to: 'BatchImagesNode',
    inputs: [
      { to: 'images.image0', from: 'image1' },
      { to: 'images.image1', from: 'image2' },
    ],
    source: CORE,
  },
  {
    from: 'ImageScaleBy',
    to: 'ResizeImageMaskNode',
    inputs: [
      { to: 'input', from: 'image' },
      { to: 'resize_type', value: 'scale by multiplier' },
      { to: 'resize_type.multiplier', from: 'scale_by' },
      { to: 'scale_method', from: 'upscale_method' },
    ],
    widgets: ['upscale_method', 'scale_by'],
    source: CORE,
  },
  {
    from: 'IPAdapterApply',
    to: 'IPAdapterAdvanced',
    inputs: [
      ...same('model', 'ipadapter', 'image', 'weight', 'start_at', 'end_at', 'attn_mask', 'clip_vision'),
      // Other words stood there: original, linear, channel penalty.
      { to: 'weight_type', value: 'linear' },
      { to: 'combine_embeds', value: 'concat' },
      { to: 'embeds_scaling', value: 'V only' },
    ],
    widgets: ['weight', 'noise', 'weight_type', 'start_at', 'end_at', 'unfold_batch'],
    source: IPADAPTER,
  },
  { from: 'MMDetLoader', to: 'MMDetDetectorProvider', source: IMPACT },
  { from: 'SegsMaskCombine', to: 'SegsToCombinedMask', inputs: same('segs'), source: IMPACT },
  { from: 'BboxDetectorForEach', to: 'BboxDetectorSEGS', inputs: detector('bbox'), source: IMPACT },
  { from: 'SegmDetectorForEach', to: 'SegmDetectorSEGS', inputs: detector('segm'), source: IMPACT },
];
