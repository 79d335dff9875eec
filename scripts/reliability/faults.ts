/** The list of faults (docs/reliability.md): every one has tests that carry its number in their titles; test/faults/list.test.ts holds that. */

export interface Fault {
  readonly number: string;
  readonly fault: string;
  readonly expected: string;
}

const TABLE: readonly (readonly [fault: string, expected: string])[] = [
  ['The daemon is killed (SIGKILL) at a commit, a side effect or inside a call to the system', 'every promise holds after the next start'],
  ['It is told to stop in the middle of a run', 'jobs on backends go on; the next start takes them up'],
  ['The disk is full', 'what would change something is refused with the cure; all goes on by itself once there is room'],
  ['A write or a flush fails (EIO)', 'the change is in doubt; everything is read afresh'],
  [
    'Another program keeps the database busy',
    'waited for while everything else is answered, and named; nobody is set aside, nothing acknowledged is lost',
  ],
  ['The database or its log is damaged, cut or gone', 'moved aside, the newest good backup goes on; what is lost is said'],
  ['The data directory may not be written', 'a clear refusal at the start'],
  ['The wall clock jumps', 'order comes from numbers, never from time'],
  ['The machine sleeps: daemon or backend stand still', 'unresponsive, not lost; goes on'],
  ['The backend dies before it has accepted a prompt', 'sent again, executed once'],
  ['It dies or is cut off after it has accepted one, before its answer', 'found by its id, never sent blindly again'],
  ['It restarts and has forgotten queue and history', 'the loss is proven, a new attempt'],
  ['The WebSocket is cut', 'the end comes from HTTP'],
  ['Events are doubled, out of order, missing', 'the end is the same'],
  ['The peer is there and says nothing', 'unresponsive, not lost'],
  ['The backend hangs without progress', 'said with its phase; interrupted only by policy'],
  ['A node runs out of memory', 'freed, tried again, then the lower profile of the template'],
  ['The prompt is refused', 'at once, at the parameter that caused it'],
  ['A file does not arrive whole', 'fetched again, never registered in part'],
  ['The event loop stands still', 'nothing is lost, nobody is taken for dead'],
  ['Two daemons on one data directory', 'exactly one lives'],
  ['A template is changed while it is used', 'a run keeps what it began with'],
  ['Runs and data of older releases', 'are taken up; those of newer ones are left untouched'],
  ['A long queue', 'held in its order, also across restarts'],
  ['A client loses its connection', 'told everything once'],
  ['A client is slow or stands still', 'holds nobody up'],
  ['A run takes the daemon down each time', 'set aside after three deaths; the queue goes on'],
  ['Too few file descriptors', 'those who are there are served'],
  ['An error that nobody caught', 'written down, the process ends, the next start goes on'],
  ['A backend of another version', 'probed with each connection; what is unknown is passed over'],
];

export const FAULTS: readonly Fault[] = TABLE.map(([fault, expected], index) => ({ number: `F${String(index + 1)}`, fault, expected }));
