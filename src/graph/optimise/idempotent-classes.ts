/** ComfyUI's own classes that give the same for the same inputs, by their source. */
import type { NodeClass } from '../node-classes.ts';
import { isCore } from './known-classes.ts';

/**
 * Of ComfyUI 0.3.64 every class that is no output node, takes no hidden input and does not say NOT_IDEMPOTENT, as
 * `scripts/comfyui-classes.py` lists them, without those that read a folder or a camera, or train; and the logic and math nodes
 * of later versions. Those that read a file (`LoadImage` and its like) answer IS_CHANGED with its content or time, which is the
 * same for both of two equal nodes of a prompt.
 */
export const IDEMPOTENT: ReadonlySet<string> = new Set(
  (
    'APG AddNoise AlignYourStepsScheduler AudioAdjustVolume AudioConcat AudioEncoderEncode AudioEncoderLoader AudioMerge BasicGuider ' +
    'BasicScheduler BetaSamplingScheduler CFGGuider CFGNorm CFGZeroStar CLIPAttentionMultiply CLIPLoader CLIPMergeAdd CLIPMergeSimple ' +
    'CLIPMergeSubtract CLIPSetLastLayer CLIPTextEncode CLIPTextEncodeControlnet CLIPTextEncodeFlux CLIPTextEncodeHiDream CLIPTextEncodeHunyuanDiT ' +
    'CLIPTextEncodeLumina2 CLIPTextEncodePixArtAlpha CLIPTextEncodeSD3 CLIPTextEncodeSDXL CLIPTextEncodeSDXLRefiner CLIPVisionEncode ' +
    'CLIPVisionLoader Canny CaseConverter CheckpointLoader CheckpointLoaderSimple ChromaRadianceOptions CombineHooks2 CombineHooks4 CombineHooks8 ' +
    'ComfyAndNode ComfyMathExpression ComfyNotNode ComfyOrNode ComfySwitchNode ConditioningAverage ConditioningCombine ConditioningConcat ' +
    'ConditioningSetArea ConditioningSetAreaPercentage ConditioningSetAreaPercentageVideo ConditioningSetAreaStrength ' +
    'ConditioningSetDefaultCombine ConditioningSetMask ConditioningSetProperties ConditioningSetPropertiesAndCombine ConditioningSetTimestepRange ' +
    'ConditioningStableAudio ConditioningTimestepsRange ConditioningZeroOut ContextWindowsManual ControlNetApply ControlNetApplyAdvanced ' +
    'ControlNetApplySD3 ControlNetInpaintingAliMamaApply ControlNetLoader CosmosImageToVideoLatent CosmosPredict2ImageToVideoLatent ' +
    'CreateHookKeyframe CreateHookKeyframesFromFloats CreateHookKeyframesInterpolated CreateHookLora CreateHookLoraModelOnly ' +
    'CreateHookModelAsLora CreateHookModelAsLoraModelOnly CreateVideo CropMask DiffControlNetLoader DifferentialDiffusion DiffusersLoader ' +
    'DisableNoise DualCFGGuider DualCLIPLoader EasyCache EmptyAceStepLatentAudio EmptyAudio EmptyChromaRadianceLatentImage EmptyCosmosLatentVideo ' +
    'EmptyHunyuanImageLatent EmptyHunyuanLatentVideo EmptyImage EmptyLTXVLatentVideo EmptyLatentAudio EmptyLatentHunyuan3Dv2 EmptyLatentImage ' +
    'EmptyMochiLatentVideo EmptySD3LatentImage ExponentialScheduler ExtendIntermediateSigmas FeatherMask FlipSigmas FluxDisableGuidance ' +
    'FluxGuidance FluxKontextImageScale FluxKontextMultiReferenceLatentMethod FreSca FreeU FreeU_V2 GITSScheduler GLIGENLoader GLIGENTextBoxApply ' +
    'GetVideoComponents GrowMask Hunyuan3Dv2Conditioning Hunyuan3Dv2ConditioningMultiView HunyuanImageToVideo HunyuanRefinerLatent HyperTile ' +
    'HypernetworkLoader ImageAddNoise ImageBatch ImageBlend ImageBlur ImageColorToMask ImageCompositeMasked ImageCrop ImageFlip ImageFromBatch ' +
    'ImageInvert ImageOnlyCheckpointLoader ImagePadForOutpaint ImageQuantize ImageRGBToYUV ImageRotate ImageScale ImageScaleBy ' +
    'ImageScaleToMaxDimension ImageScaleToTotalPixels ImageSharpen ImageStitch ImageToMask ImageUpscaleWithModel ImageYUVToRGB ' +
    'InpaintModelConditioning InstructPixToPixConditioning InvertMask JoinImageWithAlpha KSampler KSamplerAdvanced KSamplerSelect KarrasScheduler ' +
    'LTXVAddGuide LTXVConditioning LTXVCropGuides LTXVImgToVideo LTXVPreprocess LTXVScheduler LaplaceScheduler LatentAdd LatentApplyOperation ' +
    'LatentApplyOperationCFG LatentBatch LatentBatchSeedBehavior LatentBlend LatentComposite LatentCompositeMasked LatentConcat LatentCrop ' +
    'LatentCut LatentFlip LatentFromBatch LatentInterpolate LatentMultiply LatentOperationSharpen LatentOperationTonemapReinhard LatentRotate ' +
    'LatentSubtract LatentUpscale LatentUpscaleBy LazyCache LoadAudio LoadImage LoadImageMask LoadImageOutput LoadLatent LoadVideo LoraLoader ' +
    'LoraLoaderModelOnly LoraModelLoader LotusConditioning Mahiro MaskComposite MaskToImage ModelComputeDtype ModelMergeAdd ModelMergeAuraflow ' +
    'ModelMergeBlocks ModelMergeCosmos14B ModelMergeCosmos7B ModelMergeCosmosPredict2_14B ModelMergeCosmosPredict2_2B ModelMergeFlux1 ' +
    'ModelMergeLTXV ModelMergeMochiPreview ModelMergeQwenImage ModelMergeSD1 ModelMergeSD2 ModelMergeSD35_Large ModelMergeSD3_2B ModelMergeSDXL ' +
    'ModelMergeSimple ModelMergeSubtract ModelMergeWAN2_1 ModelPatchLoader ModelSamplingAuraFlow ModelSamplingContinuousEDM ' +
    'ModelSamplingContinuousV ModelSamplingDiscrete ModelSamplingFlux ModelSamplingLTXV ModelSamplingSD3 ModelSamplingStableCascade Morphology ' +
    'OptimalStepsScheduler PairConditioningCombine PairConditioningSetDefaultCombine PairConditioningSetProperties ' +
    'PairConditioningSetPropertiesAndCombine PatchModelAddDownscale PerpNeg PerpNegGuider PerturbedAttentionGuidance PhotoMakerEncode ' +
    'PhotoMakerLoader PolyexponentialScheduler PorterDuffImageComposite PrimitiveBoolean PrimitiveFloat PrimitiveInt PrimitiveString ' +
    'PrimitiveStringMultiline QuadrupleCLIPLoader QwenImageDiffsynthControlnet RandomNoise RebatchImages RebatchLatents ReferenceLatent ' +
    'RegexExtract RegexMatch RegexReplace RenormCFG RepeatImageBatch RepeatLatentBatch RescaleCFG ResizeAndPadImage SDTurboScheduler ' +
    'SD_4XUpscale_Conditioning SV3D_Conditioning SVD_img2vid_Conditioning SamplerCustom SamplerCustomAdvanced SamplerDPMAdaptative ' +
    'SamplerDPMPP_2M_SDE SamplerDPMPP_2S_Ancestral SamplerDPMPP_3M_SDE SamplerDPMPP_SDE SamplerER_SDE SamplerEulerAncestral ' +
    'SamplerEulerAncestralCFGPP SamplerEulerCFGpp SamplerLCMUpscale SamplerLMS SamplerSASolver SamplingPercentToSigma SelfAttentionGuidance ' +
    'SetClipHooks SetFirstSigma SetHookKeyframes SetLatentNoiseMask SetUnionControlNetType SkipLayerGuidanceDiT SkipLayerGuidanceDiTSimple ' +
    'SkipLayerGuidanceSD3 SolidMask SplitAudioChannels SplitImageWithAlpha SplitSigmas SplitSigmasDenoise StableCascade_EmptyLatentImage ' +
    'StableCascade_StageB_Conditioning StableCascade_StageC_VAEEncode StableCascade_SuperResolutionControlnet StableZero123_Conditioning ' +
    'StableZero123_Conditioning_Batched StringCompare StringConcatenate StringContains StringLength StringReplace StringSubstring StringTrim ' +
    'StyleModelApply StyleModelLoader T5TokenizerOptions TCFG TextEncodeAceStepAudio TextEncodeHunyuanVideo_ImageToVideo TextEncodeQwenImageEdit ' +
    'TextEncodeQwenImageEditPlus ThresholdMask TomePatchModel TorchCompileModel TrimAudioDuration TrimVideoLatent TripleCLIPLoader UNETLoader ' +
    'UNetCrossAttentionMultiply UNetSelfAttentionMultiply UNetTemporalAttentionMultiply USOStyleReference UpscaleModelLoader VAEDecode ' +
    'VAEDecodeAudio VAEDecodeHunyuan3D VAEDecodeTiled VAEEncode VAEEncodeAudio VAEEncodeForInpaint VAEEncodeTiled VAELoader VPScheduler ' +
    'VideoLinearCFGGuidance VideoTriangleCFGGuidance VoxelToMesh VoxelToMeshBasic Wan22FunControlToVideo Wan22ImageToVideoLatent ' +
    'WanAnimateToVideo WanCameraEmbedding WanCameraImageToVideo WanContextWindowsManual WanFirstLastFrameToVideo WanFunControlToVideo ' +
    'WanFunInpaintToVideo WanHuMoImageToVideo WanImageToVideo WanPhantomSubjectToVideo WanSoundImageToVideo WanSoundImageToVideoExtend ' +
    'WanTrackToVideo WanVaceToVideo unCLIPCheckpointLoader unCLIPConditioning'
  ).split(' '),
);

/** Object info shows hidden inputs, but neither NOT_IDEMPOTENT nor IS_CHANGED: a class that is not in the list may roll dice. */
export function isIdempotent(nodeClass: NodeClass | undefined): nodeClass is NodeClass {
  if (nodeClass === undefined || !isCore(nodeClass) || !IDEMPOTENT.has(nodeClass.name)) return false;
  return !nodeClass.outputNode && (nodeClass.hidden ?? []).length === 0;
}

/** They check their constants by rules of their own (VALIDATE_INPUTS), which a linked value never meets. */
const OWN_CHECK: ReadonlySet<string> = new Set([
  'CustomCombo',
  'LoadAudio',
  'LoadImage',
  'LoadImageMask',
  'LoadImageOutput',
  'LoadLatent',
  'LoadVideo',
  'WebcamCapture',
]);

/** A value that is linked to it may as well be written into it. */
export function takesConstants(nodeClass: NodeClass | undefined): nodeClass is NodeClass {
  return (
    nodeClass !== undefined &&
    isCore(nodeClass) &&
    !OWN_CHECK.has(nodeClass.name) &&
    (IDEMPOTENT.has(nodeClass.name) || nodeClass.outputNode)
  );
}
