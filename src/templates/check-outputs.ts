/** Outputs of steps against object info: a node that saves and shows nothing gives no files. */
import { isCustom } from '#graph/links.ts';
import type { ObjectInfo } from '#graph/node-classes.ts';
import { nameNode } from '#graph/names.ts';
import type { Problem } from '#protocol/problem.ts';
import type { CompiledStep } from './compiled.ts';
import { type Located, problemAt } from './locate.ts';

/** `at` is the place of the step in the manifest. */
export function checkOutputs(step: CompiledStep, at: number, info: ObjectInfo, where: Located): Problem[] {
  return Object.entries(step.outputs).flatMap(([name, id]) => {
    const node = step.graph.nodes.get(id);
    const nodeClass = node === undefined ? undefined : info.classes.get(node.classType);
    if (node === undefined || nodeClass === undefined || nodeClass.outputNode || nodeClass.intermediateOutput) return [];
    const savers = [...step.graph.nodes.values()].filter(({ classType }) => info.classes.get(classType)?.outputNode === true);
    const known = savers.slice(0, 5).map(({ id: other, classType }) => `${other} (${classType})`);
    const hint = known.length === 0 ? 'Add a node that saves, such as SaveImage.' : `Nodes that do: ${known.join(', ')}.`;
    const message = `Output "${name}" of step "${step.id}" is ${nameNode(node).replace('Node', 'node')}, which saves and shows nothing.`;
    // A custom node may show something without being declared as an output.
    const severity = isCustom(nodeClass) ? 'warning' : 'error';
    return [
      problemAt(where, ['steps', at, 'outputs', name], 'TEMPLATE_OUTPUT_NO_FILES', message, { hint, severity, step: step.id, node: id }),
    ];
  });
}
