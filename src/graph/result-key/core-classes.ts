/**
 * Node classes of ComfyUI's own that give the same for the same inputs, tomorrow too. What is not named is not taken to repeat itself, however
 * harmless it looks.
 */
import { IDEMPOTENT } from '../optimise/idempotent-classes.ts';

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/**
 * Two of them in one prompt give the same, and the same again is another matter: noise that no seed of the graph decides
 * (SVD_img2vid_Conditioning, SamplerLCMUpscale, HyperTile, TomePatchModel), a folder of the server (LoadImageOutput, DiffusersLoader,
 * LoraModelLoader), a second file that no input names (CheckpointLoader), what is kept from step to step or compiled.
 */
const NOT_TOMORROW: ReadonlySet<string> = new Set(
  words(`
    SVD_img2vid_Conditioning SamplerLCMUpscale HyperTile TomePatchModel LoadImageOutput DiffusersLoader LoraModelLoader CheckpointLoader
    EasyCache LazyCache TorchCompileModel`),
);

/** Of later versions, by what their siblings do, and GetImageSize, whose hidden input only shows what it gives. */
const LATER = words(`
  LoraLoaderBypass LoraLoaderBypassModelOnly LatentUpscaleModelLoader LTXVAudioVAELoader CLIPTextEncodeKandinsky5 TextEncodeAceStepAudio1.5
  TextEncodeZImageOmni ConditioningMultiply HunyuanVideo15ImageToVideo HunyuanVideo15SuperResolution Kandinsky5ImageToVideo
  LTXVImgToVideoInplace ZImageFunControlnet Flux2Scheduler ManualSigmas SamplerSEEDS2 CFGOverride TemporalScoreRescaling NAGuidance ScaleROPE
  EmptyFlux2LatentImage EmptyAceStep1.5LatentAudio EmptyHunyuanVideo15Latent EmptyQwenImageLayeredLatentImage LatentCutToBatch BatchLatentsNode
  HunyuanVideo15LatentUpscaleWithModel LTXVLatentUpsampler ResizeImageMaskNode BatchImagesNode ImageCropV2 GetImageSize BatchMasksNode
  SplitImageToTileList ImageMergeTileList ColorTransfer JoinAudioChannels StringFormat ComfyNumberConvert ColorToRGBInt`);

/** They write files that are fetched, or show something, and do nothing else. Their prefix decides nothing but names. */
export const SAVER_CLASSES: ReadonlySet<string> = new Set(
  words(`
    SaveImage SaveImageAdvanced PreviewImage MaskPreview SaveAnimatedWEBP SaveAnimatedPNG SaveWEBM SaveVideo SaveAudio SaveAudioAdvanced SaveAudioMP3
    SaveAudioOpus PreviewAudio SaveGLB SaveSVGNode SaveLatent SaveText PreviewAny`),
);

export const REPEATING_CLASSES: ReadonlySet<string> = new Set([
  ...[...IDEMPOTENT].filter((name) => !NOT_TOMORROW.has(name)),
  ...LATER,
  ...SAVER_CLASSES,
]);

/** Of the sandbox, whose module is one of custom nodes: all but the one that is never the same. */
export const SANDBOX_CLASSES: ReadonlySet<string> = new Set(
  words('SandboxSleep SandboxManyOutputs SandboxBigPreview SandboxBlock SandboxSwitch SandboxFail SandboxOutOfMemory'),
);
