/** Names the sandbox offers where a real ComfyUI lists files on disk, and its fixed lists of samplers and schedulers. */

export const SAMPLERS: readonly string[] = (
  'euler euler_cfg_pp euler_ancestral euler_ancestral_cfg_pp heun heunpp2 exp_heun_2_x0 exp_heun_2_x0_sde dpm_2 dpm_2_ancestral lms ' +
  'dpm_fast dpm_adaptive dpmpp_2s_ancestral dpmpp_2s_ancestral_cfg_pp dpmpp_sde dpmpp_sde_gpu dpmpp_2m dpmpp_2m_cfg_pp dpmpp_2m_sde ' +
  'dpmpp_2m_sde_gpu dpmpp_2m_sde_heun dpmpp_2m_sde_heun_gpu dpmpp_3m_sde dpmpp_3m_sde_gpu ddpm lcm ipndm ipndm_v deis res_multistep ' +
  'res_multistep_cfg_pp res_multistep_ancestral res_multistep_ancestral_cfg_pp gradient_estimation gradient_estimation_cfg_pp er_sde ' +
  'seeds_2 seeds_3 sa_solver sa_solver_pece ddim uni_pc uni_pc_bh2'
).split(' ');

export const SCHEDULERS: readonly string[] =
  'simple sgm_uniform karras exponential ddim_uniform beta normal linear_quadratic kl_optimal'.split(' ');

const BUILT_IN: Readonly<Record<string, readonly string[]>> = {
  checkpoints: ['sd_xl_base_1.0.safetensors', 'v1-5-pruned-emaonly-fp16.safetensors', 'sd3.5_medium.safetensors'],
  diffusion_models: ['flux1-dev.safetensors', 'flux1-schnell.safetensors', 'wan2.1_t2v_1.3B_fp16.safetensors'],
  text_encoders: ['clip_l.safetensors', 'clip_g.safetensors', 't5xxl_fp8_e4m3fn.safetensors', 'umt5_xxl_fp8_e4m3fn_scaled.safetensors'],
  clip_vision: ['clip_vision_h.safetensors'],
  vae: ['ae.safetensors', 'vae-ft-mse-840000-ema-pruned.safetensors', 'sdxl_vae.safetensors'],
  loras: ['sd_xl_offset_example-lora_1.0.safetensors', 'draft-style.safetensors', 'characters/draft-hero.safetensors'],
  controlnet: ['control_v11p_sd15_canny_fp16.safetensors', 'control_v11p_sd15_openpose_fp16.safetensors'],
  upscale_models: ['4x-UltraSharp.pth', 'RealESRGAN_x4plus.pth', 'RealESRGAN_x2plus.pth'],
  embeddings: ['EasyNegative.safetensors'],
  hypernetworks: [],
  configs: [],
  style_models: [],
};

export interface ModelLists {
  folders(): string[];
  /** Undefined for an unknown folder. */
  list(folder: string): readonly string[] | undefined;
}

export function createModelLists(added: Readonly<Record<string, readonly string[]>>, windows: () => boolean): ModelLists {
  const lists = new Map(Object.entries(BUILT_IN));
  for (const [folder, names] of Object.entries(added)) lists.set(folder, [...new Set([...(lists.get(folder) ?? []), ...names])]);
  return {
    folders: () => [...lists.keys()],
    list(folder) {
      const names = lists.get(folder);
      return windows() ? names?.map((name) => name.replaceAll('/', '\\')) : names;
    },
  };
}
