/** The layout library, in a worker of its own: it is read when the first graph is drawn, and a large one does not hold the page up. */
import ElkApi from 'elkjs/lib/elk-api.js';
import type { ElkNode } from 'elkjs/lib/elk-api.js';

let engine: InstanceType<typeof ElkApi> | undefined;

export function layOut(graph: ElkNode): Promise<ElkNode> {
  engine ??= new ElkApi({ workerFactory: () => new Worker('/dashboard/elk-worker.js') });
  return engine.layout(graph);
}
