/** What this process has on its way to backends: payloads prepared but not sent, and POSTs that are not answered yet. */
import type { Payload, SubmitReceipt } from '#backends/contract.ts';

export interface InFlight {
  keepPayload(promptId: string, payload: Payload): void;
  /** Gives the payload once; after a restart there is none and it is rendered again. */
  takePayload(promptId: string): Payload | undefined;
  track(promptId: string, sending: Promise<SubmitReceipt>): Promise<SubmitReceipt>;
  isSending(promptId: string): boolean;
  /** Resolves when no POST of this prompt is on its way: a cancel that looked earlier could miss it. */
  settled(promptId: string): Promise<void>;
}

export function createInFlight(): InFlight {
  const payloads = new Map<string, Payload>();
  const sending = new Map<string, Promise<unknown>>();
  return {
    keepPayload: (promptId, payload) => void payloads.set(promptId, payload),
    takePayload(promptId) {
      const payload = payloads.get(promptId);
      payloads.delete(promptId);
      return payload;
    },
    async track(promptId, work) {
      sending.set(promptId, work);
      try {
        return await work;
      } finally {
        sending.delete(promptId);
      }
    },
    isSending: (promptId) => sending.has(promptId),
    async settled(promptId) {
      payloads.delete(promptId);
      await Promise.allSettled([sending.get(promptId)]);
    },
  };
}
