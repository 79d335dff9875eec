/** The shape of a tool, and what it gets to work with. */
import type { ToolAnnotations } from '@modelcontextprotocol/server';
import type { Schema } from '#protocol/schema.ts';
import type { Answer } from './answer.ts';
import type { Catalogue } from './catalogue.ts';
import type { DaemonLink } from './daemon-link.ts';
import type { RequestKeys } from './request-keys.ts';

export interface ToolContext {
  readonly link: DaemonLink;
  readonly catalogue: Catalogue;
  readonly requestKeys: RequestKeys;
  /** Seconds that a call waits for the end of a run when it does not say. */
  readonly waitSeconds: number;
  /** Pixels of the longer side of pictures in answers; 0 sends none. */
  readonly pictureSide: number;
}

/** One call of a tool. */
export interface Caller {
  readonly signal: AbortSignal;
  readonly onProgress: ((progress: number, message: string) => void) | undefined;
}

export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly annotations: ToolAnnotations;
  readonly input: Schema<unknown>;
  /** `given` fits `input`. Throws CallsheetError. */
  run(given: unknown, context: ToolContext, caller: Caller): Promise<Answer>;
}

/** Ties the type of what a tool gets to the schema that it is checked with. */
export function tool<T>(
  definition: Omit<Tool, 'input' | 'run'> & {
    readonly input: Schema<T>;
    readonly run: (given: T, context: ToolContext, caller: Caller) => Promise<Answer>;
  },
): Tool {
  const { run } = definition;
  return { ...definition, run: (given, context, caller) => run(given as T, context, caller) };
}

/** Nothing leaves this machine but through a backend that its owner configured. */
export const READS: ToolAnnotations = { readOnlyHint: true, openWorldHint: false };
export const MAKES: ToolAnnotations = { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false };
export const CHANGES: ToolAnnotations = { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false };
export const ENDS: ToolAnnotations = { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false };
