/** What a person does to a run, as events of its machine. */

export interface RunCancelEvent {
  readonly type: 'run.cancel';
}

export interface RunChooseEvent {
  readonly type: 'run.choose';
  readonly into: string;
  /** Ids of candidates. */
  readonly picked: readonly string[];
}
