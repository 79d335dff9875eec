/** One line of the doctor: what was looked at, how it is, and the cure. */

/** `error` blocks runs, `warning` blocks some of them, `info` is only good to know. */
export type FindingStatus = 'ok' | 'info' | 'warning' | 'error';

export interface Finding {
  readonly check: string;
  readonly status: FindingStatus;
  readonly message: string;
  readonly hint?: string;
}

export function finding(check: string, status: FindingStatus, message: string, hint?: string): Finding {
  return { check, status, message, ...(hint === undefined ? {} : { hint }) };
}

/** A check that threw is itself a finding: the doctor always reaches the end of its round. */
export async function examine(check: string, look: () => Finding[] | Promise<Finding[]>, hint: string): Promise<Finding[]> {
  try {
    return await look();
  } catch (error) {
    return [finding(check, 'error', error instanceof Error ? error.message : String(error), hint)];
  }
}
