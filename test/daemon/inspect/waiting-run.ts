/** A whole daemon with a run that waits for a person: its machines live as long as a test wants to look at them. */
import { openPlace, type Place } from '../exchange/exchange-harness.ts';

const TEMPLATE = {
  format: 1,
  id: 'pick',
  version: '1.0.0',
  title: 'Pick a card',
  parameters: { api_key: { type: 'string', default: 'none' } },
  steps: [
    { id: 'draw', workflow: 'draw.json', outputs: { card: '2' } },
    { id: 'again', workflow: 'draw.json', set: { '2.filename_prefix': '{choices.best}' }, outputs: { card: '2' } },
  ],
  choices: [{ into: 'best', after: 'draw', title: 'The best card', from: '{steps.draw.card}', pick: 1 }],
  outputs: { card: { from: '{steps.again.card}' } },
};

export interface WaitingRun extends Place {
  readonly runId: string;
  choose(): Promise<unknown>;
}

export async function openWaitingRun(parameters: Readonly<Record<string, unknown>> = {}): Promise<WaitingRun> {
  const place = await openPlace({ pick: TEMPLATE });
  const { runId } = await place.client.call('run/start', { template: 'pick', parameters, cache: false });
  for (;;) {
    const { run } = await place.client.call('run/get', { runId });
    if (run.status === 'waiting') break;
    if (run.status === 'failed') throw new Error(JSON.stringify(run.problems));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return Object.assign(place, { runId, choose: () => place.client.call('run/choose', { runId, indices: [0] }) });
}
