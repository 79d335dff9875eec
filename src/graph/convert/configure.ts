/** Makes nodes of what was read: classes, widgets with their values, slots, instances of subgraphs. */
import type { ObjectInfo } from '../node-classes.ts';
import { bindInstance } from './boundary.ts';
import { MAX_DEPTH } from './limits.ts';
import { expandGroupNode, groupNodeName } from './group-nodes.ts';
import { nameUi } from './names.ts';
import { packWidgets } from './pack-widgets.ts';
import { migrateProxyWidgets } from './proxy-widgets.ts';
import type { Report } from './report.ts';
import { mergeInputs, mergeOutputs } from './slots.ts';
import type { UiGraph, UiNode, UiWorkflow } from './shapes.ts';
import type { RenamedNodes } from './unique-ids.ts';
import { fillWidgets } from './widgets.ts';

/** Front ends before 1.16 listed a widget among the inputs only when the user had made a socket of it; later ones list them all. */
function markConverted(node: UiNode): void {
  const listed = node.inputs.filter(({ widget }) => widget !== undefined);
  const all = node.widgets.filter(({ sent }) => sent).length;
  if (listed.length < all) for (const input of listed) input.open = true;
}

const NO_NAMES: ReadonlyMap<string, string> = new Map();

/** Definitions are done before what contains them, for an instance shows what its definition holds. */
export function configure(workflow: UiWorkflow, info: ObjectInfo, renamed: RenamedNodes, report: Report): void {
  const done = new Set<UiGraph>();
  const open = new Set<UiGraph>();
  const instances = new Map<UiGraph, UiNode[]>();

  const configureNode = (node: UiNode): void => {
    const nodeClass = info.classes.get(node.type);
    if (nodeClass === undefined) return;
    node.nodeClass = nodeClass;
    const widgets = fillWidgets(node, nodeClass, report);
    node.widgets = [...widgets, ...packWidgets(node, widgets)];
    markConverted(node);
    node.inputs = mergeInputs(node, nodeClass, node.widgets);
    node.outputs = mergeOutputs(node, nodeClass);
  };

  const definitionOf = (node: UiNode): UiGraph | undefined => {
    const name = groupNodeName(node.type);
    const group = name === undefined ? undefined : workflow.groups.get(name);
    return group === undefined ? workflow.subgraphs.get(node.type) : expandGroupNode(node, group, info, workflow.text, report);
  };

  const visit = (graph: UiGraph): void => {
    if (done.has(graph)) return;
    open.add(graph);
    const hosts: [UiNode, UiGraph][] = [];
    for (const node of graph.nodes) {
      const definition = definitionOf(node);
      if (definition === undefined) {
        configureNode(node);
      } else if (open.size > MAX_DEPTH) {
        // Told once the graph is opened, which goes as deep.
        node.subgraph = definition;
      } else if (open.has(definition)) {
        report.add({
          code: 'CONVERT_SUBGRAPH_LOOP',
          severity: 'error',
          message: `${nameUi(node)} is an instance of the subgraph that it stands in.`,
          hint: 'Remove the instance, or let it be of another subgraph.',
          at: node.at,
          node: node.id,
        });
      } else {
        visit(definition);
        node.subgraph = definition;
        hosts.push([node, definition]);
      }
    }
    for (const [host, definition] of hosts) {
      bindInstance(host, definition, workflow.text);
      instances.set(definition, [...(instances.get(definition) ?? []), host]);
    }
    for (const [host, definition] of hosts) {
      migrateProxyWidgets(host, definition, instances.get(definition) ?? [], renamed.get(definition) ?? NO_NAMES);
    }
    open.delete(graph);
    done.add(graph);
  };

  for (const graph of workflow.subgraphs.values()) visit(graph);
  visit(workflow.root);
}
