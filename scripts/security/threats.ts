/** The list of threats (docs/security.md): each has tests that carry its number in their titles; test/security/list.test.ts holds that. */

export interface Threat {
  readonly number: string;
  /** W a page in the artist's browser, U another user of the machine, T a template or bundle of a stranger, B a backend, C a client that is hostile or hangs. */
  readonly who: string;
  readonly threat: string;
  readonly answer: string;
}

const TABLE: readonly (readonly [who: string, threat: string, answer: string])[] = [
  ['W', 'A page of another site opens our WebSocket', 'Origin is compared as a string, port included, before anything is upgraded'],
  [
    'W',
    'A name of an attacker is made to lead to 127.0.0.1 (rebinding)',
    'Host is compared as a string with two entries; nothing is parsed',
  ],
  [
    'W',
    'A form or a simple request changes something',
    'GET changes nothing; types that no form can send; an Origin of our own wherever a cookie counts; no CORS header ever',
  ],
  [
    'W',
    'Our page is framed, or text of others runs in it',
    'a strict policy on every answer; files that could run scripts are offered for saving only',
  ],
  [
    'W U',
    'A key lies in an address, a log, arguments, the environment',
    'keys live in one private file; a browser comes in by a code in a fragment, good once',
  ],
  [
    'U',
    'Somebody reads or replaces the runtime file',
    'directory 0700, file 0600, whole or absent; links, second names and wide rights are refused',
  ],
  ['U', 'A stranger takes the port and collects keys', 'both sides prove the key and neither sends it'],
  ['U', 'A port of the loopback is open to every user', 'a Unix socket in the private directory beside it, which tools prefer'],
  ['W U', 'Keys are guessed', '256 random bits, compared in constant time; refusals are counted and logged once a minute'],
  [
    'C W',
    'Connections without a key pile up, or come byte by byte',
    'caps for all and for strangers, deadlines for headers, bodies and proofs',
  ],
  ['C', 'Frames that are huge, cut small or packed', '1 MiB, 64 fragments, no compression, UTF-8 checked'],
  ['C', 'A client does not read', 'a bounded queue for each; events are read again from the log; closed after 30 seconds without progress'],
  ['C', 'Calls, batches and ids without end', '64 calls at work and 200 a second on a connection, 50 in a batch, and a cap of open runs'],
  ['C T', 'JSON that is deep or wide', 'measured without recursion before anything reads it: 64 levels, 50,000 values, 256 Ki characters'],
  ['C T B', 'Keys that reach prototypes', 'refused where they enter; tables are maps'],
  ['T', 'Patterns that take for ever', 'an engine without backtracking (RE2), with caps'],
  ['T', 'Schemas and files that unfold without end', 'a small vocabulary of our own without references; caps before parsing'],
  [
    'T C',
    'Paths and links that lead out',
    'names are never paths; the real path must lie inside, with separator; opened without following links',
  ],
  ['T C', 'Names that Windows or a terminal reads in another way', 'refused or rewritten alike on every system'],
  ['T', 'Archives: ways out, bombs, lies about sizes', 'names are checked, real bytes are counted, everything is unpacked aside first'],
  [
    'T',
    'An import runs something or turns backends elsewhere',
    'a bundle is data; it runs once a person has approved exactly that content',
  ],
  ['T', 'Expressions that escape', 'CEL without code generation, with caps; no eval, checked by lint'],
  [
    'T C',
    'An address of a backend leads to something else',
    'backends come from the command line and the configuration alone; http and https, no user, no link-local address',
  ],
  ['B', 'A backend redirects us or names addresses', 'no redirect is followed; every address is built from the configured one'],
  [
    'T C',
    'A media parameter reads any file and sends it away',
    'uploads, or files in approved roots whose content is of the right kind; what leaves this machine needs a recorded consent',
  ],
  ['B', 'Answers, events and names that are hostile', 'caps and checks at the edge; names of backends name nothing here'],
  ['B T', 'Media that attacks its parser', 'our own readers with caps; what opens pixels is a process of its own with limits'],
  ['B T', 'Pictures that unpack without end', 'width and height are read first; limits on pixels, frames and memory'],
  [
    'C T B',
    'Text that forges log lines or moves the cursor',
    'one record is one line; control and direction characters are shown, not sent',
  ],
  ['-', 'Secrets in logs, database, bundles, errors', 'cut out by name where they enter; errors carry chosen fields alone'],
  ['C', 'A client does what only an admin may', 'three scopes; a page of the browser has run'],
  ['T', 'A package that we depend on turns', 'a lock file with hashes, few packages, no install scripts of strangers'],
  ['W C', 'Doors for debugging', 'there are none: every route needs a key, except the page that lets a browser in'],
];

export const THREATS: readonly Threat[] = TABLE.map(([who, threat, answer], index) => ({ number: `S${index + 1}`, who, threat, answer }));
