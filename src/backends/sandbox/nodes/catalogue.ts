/** Every node class the sandbox knows. */
import { COMPOSE_NODES } from './compose.ts';
import { CONDITIONING_NODES } from './conditioning.ts';
import type { NodeDefinition } from './define.ts';
import { FILM_NODES } from './film.ts';
import { FILTER_NODES } from './filters.ts';
import { GEOMETRY_NODES } from './geometry.ts';
import { LATENT_FILE_NODES } from './latent-files.ts';
import { LATENT_NODES } from './latent.ts';
import { LOAD_NODES } from './load.ts';
import { LOADER_NODES } from './loaders.ts';
import { LOGIC_NODES } from './logic.ts';
import { MASK_NODES } from './mask.ts';
import { PREPROCESS_NODES } from './preprocess.ts';
import { PRIMITIVE_NODES } from './primitive.ts';
import { SAMPLING_NODES } from './sampling.ts';
import { SAVE_NODES } from './save.ts';
import { SCALE_NODES } from './scale.ts';
import { SHAPE_NODES } from './shapes.ts';
import { SOUND_NODES } from './sound.ts';
import { TEST_NODES } from './testing.ts';
import { TEXT_FILE_NODES } from './text-files.ts';
import { UPSCALE_MODEL_NODES } from './upscale-model.ts';

export type Catalogue = ReadonlyMap<string, NodeDefinition>;

export const CATALOGUE: Catalogue = new Map(
  [
    LOAD_NODES,
    SAVE_NODES,
    FILM_NODES,
    SOUND_NODES,
    TEXT_FILE_NODES,
    LATENT_FILE_NODES,
    SHAPE_NODES,
    SCALE_NODES,
    GEOMETRY_NODES,
    COMPOSE_NODES,
    FILTER_NODES,
    MASK_NODES,
    PRIMITIVE_NODES,
    LOGIC_NODES,
    LOADER_NODES,
    CONDITIONING_NODES,
    LATENT_NODES,
    SAMPLING_NODES,
    UPSCALE_MODEL_NODES,
    PREPROCESS_NODES,
    TEST_NODES,
  ]
    .flat()
    .map((definition) => [definition.name, definition]),
);
