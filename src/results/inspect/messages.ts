/** What the inspector and its child process say to each other. */
import type { FoundWorkflows } from '../embedded/find-workflows.ts';
import type { EmbeddedText } from '../embedded/texts.ts';

/** What a file carries beside its pictures and sounds. */
export interface Inspection {
  readonly mediaType: string;
  /** False for a kind of file in which no texts are known to be. */
  readonly isKnown: boolean;
  readonly texts: readonly EmbeddedText[];
  /** Keys of texts that are damaged, cut short or past the caps. */
  readonly leftOut: readonly string[];
  /** The graph in API form, the workflow in UI form, settings of Wan2GP. */
  readonly workflows: FoundWorkflows;
  /** It says of itself that the sandbox drew it. */
  readonly draft: boolean;
}

export type ToChild =
  | { readonly type: 'inspect'; readonly id: number; readonly size: number }
  | { readonly type: 'bytes'; readonly id: number; readonly bytes: Uint8Array };

export type FromChild =
  | { readonly type: 'ready' }
  /** One at a time. `rss` is what the child takes of the machine's memory now. */
  | { readonly type: 'read'; readonly id: number; readonly at: number; readonly length: number; readonly rss: number }
  | { readonly type: 'done'; readonly id: number; readonly inspection: Inspection; readonly rss: number }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };
