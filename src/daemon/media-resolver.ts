/** Joins approved roots and templates: a client's files must lie in the roots, a template's own defaults may lie beside it. */
import { dirname, isAbsolute, join } from 'node:path';
import type { CompiledTemplate } from '#templates/compiled.ts';
import type { TemplateLibrary } from '#templates/library.ts';
import type { ParameterTools } from '#templates/parameters.ts';
import { MEDIA_TYPES } from '#templates/types.ts';
import type { MediaParameterType, ParameterDefinition } from '#templates/types.ts';
import type { Roots } from './roots.ts';

export function createMediaResolver(
  roots: Roots,
  library: Pick<TemplateLibrary, 'list'>,
): (template: CompiledTemplate) => ParameterTools['resolveMedia'] {
  return (template) => {
    const folder = folderOf(template, library);
    return (value, definition) => {
      const kind = mediaKind(definition);
      if (folder === undefined || value.startsWith('asset:') || !isDefault(value, definition)) return roots.resolveMedia(value, kind);
      return roots.resolveMedia(isAbsolute(value) ? value : join(folder, value), kind, [folder]);
    };
  };
}

// --- helpers ---

function folderOf(template: CompiledTemplate, library: Pick<TemplateLibrary, 'list'>): string | undefined {
  const origin = library.list().find((loaded) => loaded.hash === template.hash)?.origin;
  return origin?.kind === 'adopted' ? dirname(origin.path) : origin?.path;
}

function isDefault(value: string, { default: given }: ParameterDefinition): boolean {
  return value === given || (Array.isArray(given) && given.includes(value));
}

function mediaKind({ type, of }: ParameterDefinition): MediaParameterType {
  const wanted = type === 'list' ? of : type;
  return MEDIA_TYPES.find((media) => media === wanted) ?? 'file';
}
