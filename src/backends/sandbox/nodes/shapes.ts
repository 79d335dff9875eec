/** 3D: the way from a latent to a mesh, which ends in a drafted cube. */
import { createHash } from 'node:crypto';
import type { Json } from '../json.ts';
import { writeCube } from '../media/glb.ts';
import { tagsOf } from '../media/tags.ts';
import type { LatentValue, MeshValue } from '../values.ts';
import { combo, float, int, link, type NodeContext, type NodeDefinition, NO_SIZE, text } from './define.ts';
import { HIDDEN, reported } from './save.ts';

const SHAPES = { category: '3d', module: 'comfy_extras.nodes_hunyuan3d' } as const;

function colourOf(seed: string): [number, number, number] {
  const hash = createHash('sha256').update(seed).digest();
  return [0, 1, 2].map((place) => Math.round(20 + ((hash[place] ?? 0) / 255) * 70) / 100) as [number, number, number];
}

function saveCubes({ count, shot }: MeshValue, prefix: string, context: NodeContext): Json[] {
  const reservation = context.environment.storage.reserve('output', prefix, NO_SIZE);
  const tags = tagsOf(context.prompt, context.extraPngInfo, true);
  const name = `DRAFT ${shot?.prompt ?? ''}`.trim().slice(0, 60);
  return Array.from({ length: count }, (_, index) => {
    const cube = writeCube(name, colourOf(`${shot?.seed ?? ''} ${String(index)}`), tags);
    return reported(reservation.write(index, 'glb', cube), true);
  });
}

export const SHAPE_NODES: readonly NodeDefinition[] = [
  {
    ...SHAPES,
    name: 'EmptyLatentHunyuan3Dv2',
    displayName: null,
    category: 'model/latent/hunyuan 3d',
    schema: 'v3',
    required: { resolution: int({ default: 3072, min: 1, max: 8192 }), batch_size: int({ default: 1, min: 1, max: 4096 }) },
    outputs: [['LATENT', 'LATENT']],
    run(inputs) {
      const latent: LatentValue = { kind: 'latent', width: 512, height: 512, batch: inputs.integer('batch_size'), shots: [] };
      return { outputs: [latent] };
    },
  },
  {
    ...SHAPES,
    name: 'VAEDecodeHunyuan3D',
    displayName: null,
    category: 'model/latent/hunyuan 3d',
    schema: 'v3',
    required: {
      samples: link('LATENT'),
      vae: link('VAE'),
      num_chunks: int({ default: 8000, min: 1000, max: 500000, advanced: true }),
      octree_resolution: int({ default: 256, min: 16, max: 512, advanced: true }),
    },
    outputs: [['VOXEL', 'VOXEL']],
    run(inputs) {
      const { batch, shots } = inputs.value('samples', 'latent');
      const shot = shots.at(-1);
      const mesh: MeshValue = { kind: 'mesh', count: batch, ...(shot === undefined ? {} : { shot }) };
      return { outputs: [mesh] };
    },
  },
  {
    ...SHAPES,
    name: 'VoxelToMeshBasic',
    displayName: 'Voxel to Mesh (Basic)',
    schema: 'v3',
    required: { voxel: link('VOXEL'), threshold: float({ default: 0.6, min: -1, max: 1, step: 0.01 }) },
    outputs: [['MESH', 'MESH']],
    run: (inputs) => ({ outputs: [inputs.value('voxel', 'mesh')] }),
  },
  {
    ...SHAPES,
    name: 'VoxelToMesh',
    displayName: 'Voxel to Mesh',
    schema: 'v3',
    required: {
      voxel: link('VOXEL'),
      algorithm: combo(['surface net', 'basic'], {}),
      threshold: float({ default: 0.6, min: -1, max: 1, step: 0.01 }),
    },
    outputs: [['MESH', 'MESH']],
    run: (inputs) => ({ outputs: [inputs.value('voxel', 'mesh')] }),
  },
  {
    name: 'SaveGLB',
    displayName: 'Save 3D Model',
    category: '3d',
    module: 'comfy_extras.nodes_save_3d',
    schema: 'v3',
    required: { mesh: link('MESH'), filename_prefix: text({ default: '3d/ComfyUI', multiline: false }) },
    hidden: HIDDEN,
    outputs: [],
    isOutput: true,
    run: (inputs, context) => ({
      outputs: [],
      ui: { '3d': saveCubes(inputs.value('mesh', 'mesh'), inputs.string('filename_prefix'), context) },
    }),
  },
];
