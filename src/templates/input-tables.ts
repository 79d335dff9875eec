/** What the inputs of well-known nodes and settings hold, for when no object info is at hand. */
import type { ParameterDefinition, ParameterType } from './types.ts';

/** Inputs that name a file of the server's, by class: the first is what the type of the file is. */
const MEDIA_BY_CLASS: Readonly<Record<string, ParameterType>> = {
  LoadImage: 'image',
  LoadImageOutput: 'image',
  LoadImageMask: 'mask',
  LoadVideo: 'video',
  VHS_LoadVideo: 'video',
  LoadAudio: 'audio',
  VHS_LoadAudioUpload: 'audio',
  Load3D: 'model3d',
  Load3DAnimation: 'model3d',
};
const MEDIA_INPUTS = /^(?:image|file|audio|video|model_file)$/;

/** Input name → folder below ComfyUI's models. */
const MODEL_FOLDERS: Readonly<Record<string, string>> = {
  ckpt_name: 'checkpoints',
  lora_name: 'loras',
  vae_name: 'vae',
  unet_name: 'diffusion_models',
  clip_name: 'text_encoders',
  clip_name1: 'text_encoders',
  clip_name2: 'text_encoders',
  clip_name3: 'text_encoders',
  control_net_name: 'controlnet',
  style_model_name: 'style_models',
  gligen_name: 'gligen',
  hypernetwork_name: 'hypernetworks',
  photomaker_model_name: 'photomaker',
  audio_encoder_name: 'audio_encoders',
  bg_removal_name: 'background_removal',
};
/** `model_name` means another folder in every class. */
const MODEL_NAME_FOLDERS: Readonly<Record<string, string>> = {
  UpscaleModelLoader: 'upscale_models',
  LatentUpscaleModelLoader: 'latent_upscale_models',
  SAMLoader: 'sams',
  UltralyticsDetectorProvider: 'ultralytics',
};

export function mediaOf(classType: string, input: string): ParameterType | undefined {
  const media = Object.hasOwn(MEDIA_BY_CLASS, classType) ? MEDIA_BY_CLASS[classType] : undefined;
  // The 3D loaders have an `image` too, which is their camera.
  const inputs = media === 'model3d' ? /^model_file$/ : MEDIA_INPUTS;
  return media !== undefined && inputs.test(input) ? media : undefined;
}

export function modelFolderOf(classType: string, input: string): string | undefined {
  if (input === 'model_name' && Object.hasOwn(MODEL_NAME_FOLDERS, classType)) return MODEL_NAME_FOLDERS[classType];
  return Object.hasOwn(MODEL_FOLDERS, input) ? MODEL_FOLDERS[input] : undefined;
}

const WHOLE: ParameterDefinition = { type: 'integer', minimum: 1 };
const ROWS: readonly (readonly [RegExp, ParameterDefinition])[] = [
  [/^(?:noise_)?seed$/, { type: 'seed' }],
  [/^(?:width|height)$/, { type: 'integer', minimum: 1, step: 8, unit: 'px' }],
  [/^(?:length|batch_size|steps|video_length|num_inference_steps)$/, WHOLE],
  [/^(?:start_at_step|end_at_step)$/, { type: 'integer', minimum: 0 }],
  [/^(?:x|y)$/, { type: 'integer', unit: 'px' }],
  [/^denoise$/, { type: 'number', minimum: 0, maximum: 1, step: 0.01 }],
  [/^(?:cfg|guidance|guidance_scale)$/, { type: 'number', minimum: 0, step: 0.1 }],
  [/^(?:strength|strength_model|strength_clip|shift|flow_shift)$/, { type: 'number', step: 0.01 }],
  [/^(?:fps|frame_rate)$/, { type: 'number', minimum: 0, step: 1 }],
  [/^model_name$/, { type: 'model' }],
  [/^(?:image_start|image_end|image_guide)$/, { type: 'image' }],
  [/^(?:image_mask|video_mask)$/, { type: 'mask' }],
  [/^(?:video_guide2?|video_source)$/, { type: 'video' }],
  [/^(?:audio_guide2?|audio_source)$/, { type: 'audio' }],
  [/^(?:text|prompt|negative_prompt|alt_prompt|positive|negative|text_[gl])$/, { type: 'text' }],
];

/** By the names that ComfyUI's core nodes and Wan2GP's settings use; undefined for any other. */
export function tableDefinition(classType: string, input: string): ParameterDefinition | undefined {
  const media = mediaOf(classType, input);
  if (media !== undefined) return { type: media };
  const folder = modelFolderOf(classType, input);
  if (folder !== undefined) return { type: 'model', folder };
  return ROWS.find(([names]) => names.test(input))?.[1];
}
