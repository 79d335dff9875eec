/** The templates of the library, read when they are first asked for and again when they change. */
import { computed, effect, signal } from '@preact/signals';
import type { TemplateSummary } from '../../src/protocol/views.ts';
import { connections, session } from './connection.ts';

export const templates = signal<readonly TemplateSummary[] | undefined>(undefined);

const titles = computed(() => new Map((templates.value ?? []).map(({ id, title }) => [id, title])));

/** The title of a template, or its id where it is not in the library any more. */
export function titleOf(template: string): string {
  return titles.value.get(template) ?? template;
}

async function read(): Promise<void> {
  ({ templates: templates.value } = await session.call('template/list', {}));
}

export function watchTemplates(): void {
  session.on('template/changed', () => void read().catch(() => undefined));
  effect(() => {
    if (connections.value > 0) void read().catch(() => undefined);
  });
}
