/** What a template uses, with what is new in it: classes that nothing the user trusts already uses. */
import type { TemplateContentsView } from '#protocol/methods/exchange.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';
import { contentsOf } from '#templates/contents.ts';
import type { GatedLibrary } from './gate.ts';

export function contentsView(template: CompiledTemplate, library: GatedLibrary): TemplateContentsView {
  const contents = contentsOf(template);
  const unseen = new Set(contents.nodeClasses);
  for (const loaded of library.list()) {
    if (unseen.size === 0) break;
    if (loaded.approval === 'pending' || loaded.hash === template.hash) continue;
    for (const step of loaded.template?.steps ?? []) for (const node of step.graph.nodes.values()) unseen.delete(node.classType);
  }
  return { ...contents, newClasses: contents.nodeClasses.filter((name) => unseen.has(name)) };
}
