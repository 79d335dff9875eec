/** Where a file came from: one shape for the note beside the file, the text inside it, and artifact/get. */

/** The artifact of an earlier run whose bytes were taken instead of making them again. */
export interface CachedFrom {
  readonly runId: string;
  readonly artifactId: string;
}

/** The server that an attempt was sent to, as it was then. */
export interface BackendFacts {
  readonly id: string;
  readonly kind: 'comfyui' | 'wan2gp' | 'sandbox';
  /** Without credentials. Not in texts inside files, which travel. */
  readonly address?: string;
  /** As the server says it. */
  readonly version?: string;
  /** sha256 of its object info: other node packs, or other versions of them, give another. */
  readonly objectInfo?: string;
}

/** A file that went into the attempt: one of the user's, or one that an earlier step made. */
export interface InputUse {
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly mediaType: string;
  /** Of the same run, where it is one of its own. */
  readonly artifactId?: string;
}

/** What is known of an attempt before it is sent. */
export interface AttemptFacts {
  /** Version of Callsheet. */
  readonly callsheet: string;
  readonly backend: BackendFacts;
  readonly inputs: readonly InputUse[];
  /** Members of the graph whose values were taken out of what is kept: keys, tokens, passwords. */
  readonly redacted?: readonly string[];
  /** Parameters whose values were taken out for the same reason. */
  readonly redactedParameters?: readonly string[];
}

/** Seconds. A phase that was not seen is absent. */
export interface AttemptTimes {
  readonly queued?: number;
  /** From its start until the first step of work: models are read. */
  readonly loading?: number;
  readonly working?: number;
  /** Nodes that were executed, by their ids in the graph as it was sent; those served from the backend's cache took no time. */
  readonly nodes?: readonly { readonly node: string; readonly className: string; readonly seconds: number }[];
}

/** The file as the backend gave it, where the one that is kept is another. */
export interface SourceFile {
  readonly sha256: string;
  readonly bytes: number;
  readonly mediaType: string;
}

/** How a file was made of others by the template's `convert`. */
export interface Conversion {
  readonly to: string;
  /** In order. */
  readonly from: readonly { readonly artifactId: string; readonly sha256: string }[];
  readonly options: Readonly<Record<string, string | number>>;
}

export interface Provenance {
  readonly artifactId: string;
  readonly runId: string;
  readonly template: string;
  readonly version: string;
  readonly templateHash: string;
  readonly step: string;
  readonly item: number;
  /** 1-based; absent, as all that follows from it, for files of releases before 0.2. */
  readonly attempt?: number;
  readonly output: string;
  readonly node: string;
  readonly index: number;
  readonly promptId?: string;
  readonly draft: boolean;
  readonly profile?: 'low';
  /** The artifact whose bytes were taken instead of making them again; what follows is of the attempt that made those. */
  readonly cachedFrom?: CachedFrom;
  readonly callsheet?: string;
  readonly backend?: BackendFacts;
  /** Milliseconds since 1970: when the attempt was prepared, and when it ended. */
  readonly preparedAt?: number;
  readonly endedAt?: number;
  /** sha256 of the graph, and of the workflow in UI format that was sent along; the texts lie beside the notes and in the database. */
  readonly graph?: string;
  readonly workflow?: string;
  readonly redacted?: readonly string[];
  readonly seeds: readonly { readonly node: string; readonly input: string; readonly value: string }[];
  /** As the run was started with, defaults and drawn seeds included; of files their name, hash and size. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly inputs: readonly InputUse[];
  readonly models: readonly {
    readonly node: string;
    readonly input: string;
    readonly name: string;
    readonly folder?: string;
    /** As far as the template says it. */
    readonly sha256?: string;
    readonly bytes?: number;
  }[];
  readonly times?: AttemptTimes;
  readonly source?: SourceFile;
  readonly conversion?: Conversion;
  /** Of the data directory whose run it is. Not in texts inside files. */
  readonly store?: string;
}
