/**
 * Node classes of ComfyUI's own that give the same for the same inputs: read in the source of 0.3.64, for names that came later by what
 * their siblings do. What is not named here is not taken to repeat itself, however harmless it looks.
 *
 * Left out on purpose: SVD_img2vid_Conditioning, SamplerLCMUpscale, HyperTile and TomePatchModel (noise without a seed of their own), nodes
 * that look into folders or cameras (LoadImageOutput, WebcamCapture, RecordAudio, the data sets), those that keep state between prompts
 * (EasyCache, LazyCache, training), that write models (ModelSave …), that speak to others, and shuffles of data sets.
 */

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

const LOADERS = words(`
  CheckpointLoaderSimple unCLIPCheckpointLoader ImageOnlyCheckpointLoader UNETLoader VAELoader CLIPLoader DualCLIPLoader TripleCLIPLoader
  QuadrupleCLIPLoader LoraLoader LoraLoaderModelOnly LoraLoaderBypass LoraLoaderBypassModelOnly ControlNetLoader DiffControlNetLoader
  StyleModelLoader CLIPVisionLoader GLIGENLoader HypernetworkLoader PhotoMakerLoader UpscaleModelLoader ModelPatchLoader
  LatentUpscaleModelLoader AudioEncoderLoader LTXVAudioVAELoader LoadImage LoadImageMask LoadAudio LoadVideo LoadLatent`);

const CONDITIONING = words(`
  CLIPTextEncode CLIPTextEncodeSDXL CLIPTextEncodeSDXLRefiner CLIPTextEncodeFlux CLIPTextEncodeSD3 CLIPTextEncodeHiDream
  CLIPTextEncodeHunyuanDiT CLIPTextEncodeLumina2 CLIPTextEncodePixArtAlpha CLIPTextEncodeControlnet CLIPTextEncodeKandinsky5
  TextEncodeAceStepAudio TextEncodeAceStepAudio1.5 TextEncodeHunyuanVideo_ImageToVideo TextEncodeQwenImageEdit TextEncodeQwenImageEditPlus
  TextEncodeZImageOmni T5TokenizerOptions CLIPSetLastLayer CLIPVisionEncode AudioEncoderEncode StyleModelApply unCLIPConditioning
  ControlNetApply ControlNetApplyAdvanced ControlNetApplySD3 ControlNetInpaintingAliMamaApply SetUnionControlNetType GLIGENTextBoxApply
  ConditioningAverage ConditioningCombine ConditioningConcat ConditioningMultiply ConditioningSetArea ConditioningSetAreaPercentage
  ConditioningSetAreaPercentageVideo ConditioningSetAreaStrength ConditioningSetMask ConditioningSetTimestepRange ConditioningZeroOut
  ConditioningTimestepsRange ConditioningSetProperties ConditioningSetPropertiesAndCombine PairConditioningSetProperties
  PairConditioningSetPropertiesAndCombine ConditioningSetDefaultCombine PairConditioningSetDefaultCombine PairConditioningCombine
  ConditioningStableAudio CreateHookLora CreateHookLoraModelOnly CreateHookModelAsLora CreateHookModelAsLoraModelOnly SetHookKeyframes
  CreateHookKeyframe CreateHookKeyframesInterpolated CreateHookKeyframesFromFloats CombineHooks2 CombineHooks4 CombineHooks8 SetClipHooks
  FluxGuidance FluxDisableGuidance FluxKontextMultiReferenceLatentMethod FluxKontextImageScale ReferenceLatent InpaintModelConditioning
  InstructPixToPixConditioning SD_4XUpscale_Conditioning StableCascade_StageB_Conditioning StableZero123_Conditioning
  StableZero123_Conditioning_Batched SV3D_Conditioning LotusConditioning PhotoMakerEncode USOStyleReference HunyuanImageToVideo
  HunyuanVideo15ImageToVideo HunyuanVideo15SuperResolution HunyuanRefinerLatent Hunyuan3Dv2Conditioning Hunyuan3Dv2ConditioningMultiView
  Kandinsky5ImageToVideo LTXVConditioning LTXVAddGuide LTXVCropGuides LTXVImgToVideo LTXVImgToVideoInplace LTXVPreprocess
  CosmosImageToVideoLatent CosmosPredict2ImageToVideoLatent WanImageToVideo WanFunControlToVideo Wan22FunControlToVideo WanFunInpaintToVideo
  WanFirstLastFrameToVideo WanVaceToVideo WanCameraImageToVideo WanCameraEmbedding WanPhantomSubjectToVideo WanSoundImageToVideo
  WanSoundImageToVideoExtend WanHuMoImageToVideo WanAnimateToVideo WanTrackToVideo Wan22ImageToVideoLatent QwenImageDiffsynthControlnet
  ZImageFunControlnet`);

const SAMPLING = words(`
  KSampler KSamplerAdvanced KSamplerSelect SamplerCustom SamplerCustomAdvanced BasicScheduler KarrasScheduler ExponentialScheduler
  PolyexponentialScheduler LaplaceScheduler VPScheduler BetaSamplingScheduler SDTurboScheduler AlignYourStepsScheduler GITSScheduler
  OptimalStepsScheduler LTXVScheduler Flux2Scheduler ManualSigmas SamplerEulerAncestral SamplerEulerAncestralCFGPP SamplerEulerCFGpp SamplerLMS
  SamplerDPMPP_3M_SDE SamplerDPMPP_2M_SDE SamplerDPMPP_SDE SamplerDPMPP_2S_Ancestral SamplerDPMAdaptative SamplerER_SDE SamplerSASolver
  SamplerSEEDS2 SplitSigmas SplitSigmasDenoise FlipSigmas SetFirstSigma ExtendIntermediateSigmas SamplingPercentToSigma CFGGuider DualCFGGuider
  BasicGuider PerpNegGuider RandomNoise DisableNoise AddNoise CFGOverride`);

const MODELS = words(`
  ModelSamplingDiscrete ModelSamplingContinuousEDM ModelSamplingContinuousV ModelSamplingStableCascade ModelSamplingSD3
  ModelSamplingAuraFlow ModelSamplingFlux ModelSamplingLTXV ModelComputeDtype RescaleCFG RenormCFG CFGZeroStar CFGNorm APG TCFG Mahiro FreeU
  FreeU_V2 FreSca TemporalScoreRescaling PerturbedAttentionGuidance SelfAttentionGuidance SkipLayerGuidanceDiT
  SkipLayerGuidanceDiTSimple SkipLayerGuidanceSD3 PerpNeg NAGuidance DifferentialDiffusion PatchModelAddDownscale ContextWindowsManual
  WanContextWindowsManual ChromaRadianceOptions UNetSelfAttentionMultiply UNetCrossAttentionMultiply CLIPAttentionMultiply
  UNetTemporalAttentionMultiply VideoLinearCFGGuidance VideoTriangleCFGGuidance ScaleROPE ModelMergeSimple ModelMergeBlocks ModelMergeSubtract
  ModelMergeAdd CLIPMergeSimple CLIPMergeSubtract CLIPMergeAdd ModelMergeSD1 ModelMergeSD2 ModelMergeSDXL ModelMergeSD3_2B ModelMergeAuraflow
  ModelMergeFlux1 ModelMergeSD35_Large ModelMergeMochiPreview ModelMergeLTXV ModelMergeCosmos7B ModelMergeCosmos14B ModelMergeWAN2_1
  ModelMergeCosmosPredict2_2B ModelMergeCosmosPredict2_14B ModelMergeQwenImage`);

const LATENTS = words(`
  VAEDecode VAEDecodeTiled VAEEncode VAEEncodeTiled VAEEncodeForInpaint VAEEncodeAudio VAEDecodeAudio VAEDecodeHunyuan3D EmptyLatentImage
  EmptySD3LatentImage EmptyFlux2LatentImage EmptyLatentAudio EmptyAceStepLatentAudio EmptyAceStep1.5LatentAudio EmptyChromaRadianceLatentImage
  EmptyCosmosLatentVideo EmptyHunyuanLatentVideo EmptyHunyuanImageLatent EmptyHunyuanVideo15Latent EmptyLatentHunyuan3Dv2 EmptyLTXVLatentVideo
  EmptyMochiLatentVideo EmptyQwenImageLayeredLatentImage StableCascade_EmptyLatentImage StableCascade_StageC_VAEEncode
  StableCascade_SuperResolutionControlnet SetLatentNoiseMask LatentUpscale LatentUpscaleBy LatentFromBatch RepeatLatentBatch LatentComposite
  LatentCompositeMasked LatentBlend LatentRotate LatentFlip LatentCrop LatentAdd LatentSubtract LatentMultiply LatentInterpolate LatentConcat
  LatentCut LatentCutToBatch LatentBatch LatentBatchSeedBehavior LatentApplyOperation LatentApplyOperationCFG LatentOperationTonemapReinhard
  LatentOperationSharpen RebatchLatents BatchLatentsNode TrimVideoLatent HunyuanVideo15LatentUpscaleWithModel LTXVLatentUpsampler`);

const PICTURES = words(`
  EmptyImage ImageScale ImageScaleBy ImageScaleToTotalPixels ImageScaleToMaxDimension ResizeImageMaskNode ImageInvert ImageBatch BatchImagesNode
  RepeatImageBatch ImageFromBatch RebatchImages ImagePadForOutpaint ImageCrop ImageCropV2 ImageFlip ImageRotate ImageStitch ResizeAndPadImage
  GetImageSize ImageAddNoise ImageBlend ImageBlur ImageQuantize ImageSharpen ImageCompositeMasked ImageColorToMask ImageRGBToYUV ImageYUVToRGB
  ImageUpscaleWithModel Morphology Canny PorterDuffImageComposite SplitImageWithAlpha JoinImageWithAlpha MaskToImage ImageToMask SolidMask
  InvertMask CropMask MaskComposite FeatherMask GrowMask ThresholdMask BatchMasksNode SplitImageToTileList ImageMergeTileList ColorTransfer
  VoxelToMesh VoxelToMeshBasic CreateVideo GetVideoComponents TrimAudioDuration SplitAudioChannels JoinAudioChannels AudioConcat AudioMerge
  AudioAdjustVolume EmptyAudio`);

const VALUES = words(`
  PrimitiveString PrimitiveStringMultiline PrimitiveInt PrimitiveFloat PrimitiveBoolean StringConcatenate StringSubstring StringLength
  CaseConverter StringTrim StringReplace StringContains StringCompare StringFormat RegexMatch RegexExtract RegexReplace ComfySwitchNode
  ComfyNotNode ComfyAndNode ComfyOrNode ComfyMathExpression ComfyNumberConvert ColorToRGBInt`);

/** They write files that are fetched, or show something, and do nothing else. */
const SAVERS = words(`
  SaveImage PreviewImage MaskPreview SaveAnimatedWEBP SaveAnimatedPNG SaveWEBM SaveVideo SaveAudio SaveAudioMP3 SaveAudioOpus PreviewAudio
  SaveGLB SaveSVGNode SaveLatent SaveText PreviewAny`);

/** Of the sandbox: what `SandboxAlwaysChanged` is for is left out. */
const SANDBOX = words(`SandboxSleep SandboxManyOutputs SandboxBigPreview SandboxBlock SandboxSwitch SandboxFail SandboxOutOfMemory`);

/** Where their names in the graph come from: the one thing that a saver's prefix decides. */
export const SAVER_CLASSES: ReadonlySet<string> = new Set(SAVERS);

export const REPEATING_CLASSES: ReadonlySet<string> = new Set(
  [LOADERS, CONDITIONING, SAMPLING, MODELS, LATENTS, PICTURES, VALUES, SAVERS].flat(),
);

/** Their module is one of custom nodes. */
export const SANDBOX_CLASSES: ReadonlySet<string> = new Set(SANDBOX);
