/** Texts that saved files carry: the graph, the workflow, and the mark of a draft. */
import { type Json, type JsonRecord, printJson } from '../json.ts';

export interface Tag {
  readonly key: string;
  readonly text: string;
}

/** `callsheet` marks a draft so that nobody takes it for a model's work. */
export function tagsOf(prompt: JsonRecord, extra: JsonRecord, draft: boolean): readonly Tag[] {
  const tag = (key: string, value: Json): Tag => ({ key, text: printJson(value) });
  return [
    tag('prompt', prompt),
    ...Object.entries(extra).map(([key, value]) => tag(key, value ?? null)),
    ...(draft ? [tag('callsheet', { draft: true, backend: 'sandbox' })] : []),
  ];
}
