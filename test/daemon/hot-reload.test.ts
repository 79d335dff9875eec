import {
  appendFileSync,
  chmodSync,
  closeSync,
  cpSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLibrary } from '#templates/library.ts';
import { filesOf, graph, toldOf, until, watched, type Watched, writeTemplate } from './hot-reload-harness.ts';

const titleOf = ({ library }: Watched, id = 'hero'): string | undefined => library.get(id)?.facts?.title;
const hero = (dir: string): void => writeTemplate(join(dir, 'hero'), filesOf('hero', 1));

/** In many pieces, as slow writers do; each is an event of its own. */
function inPieces(file: string, text: string): void {
  const handle = openSync(file, 'r+');
  ftruncateSync(handle, 0);
  for (let at = 0; at < text.length; at += 40) writeSync(handle, text.slice(at, at + 40));
  closeSync(handle);
}

function byRename(file: string, text: string): void {
  writeFileSync(`${file}.tmp`, text);
  renameSync(`${file}.tmp`, file);
}

type Save = (folder: string, name: string, text: string) => void;
const SAVES: readonly [string, Save][] = [
  ['written over', (folder, name, text) => writeFileSync(join(folder, name), text)],
  ['cut to nothing and written in pieces', (folder, name, text) => inPieces(join(folder, name), text)],
  ['written beside and renamed', (folder, name, text) => byRename(join(folder, name), text)],
  [
    'moved aside as a backup and written anew',
    (folder, name, text) => {
      renameSync(join(folder, name), join(folder, `${name}~`));
      writeFileSync(join(folder, name), text);
      rmSync(join(folder, `${name}~`));
    },
  ],
  [
    'deleted and written anew',
    (folder, name, text) => {
      rmSync(join(folder, name));
      writeFileSync(join(folder, name), text);
    },
  ],
  [
    'a link that is pointed at another file',
    (folder, name, text) => {
      writeFileSync(join(folder, `next-${name}`), text);
      symlinkSync(`next-${name}`, join(folder, `${name}.link`));
      renameSync(join(folder, `${name}.link`), join(folder, name));
    },
  ],
  [
    'written over with its old time',
    (folder, name, text) => {
      const { atime, mtime } = statSync(join(folder, name));
      writeFileSync(join(folder, name), text);
      utimesSync(join(folder, name), atime, mtime);
    },
  ],
];

describe('a save of all files of a template', () => {
  it.each(SAVES)('is told once when each file is %s', async (_how, save) => {
    await using one = await watched(hero);
    for (const [name, text] of Object.entries(filesOf('hero', 2))) save(join(one.dir, 'hero'), name, text);
    await one.settled();
    expect(titleOf(one)).toBe('save 2');
    expect(toldOf(one)).toEqual([{ id: 'hero', version: '1.0.0', runnable: true, problems: [] }]);
    const { steps } = await one.service.render({ id: 'hero' });
    expect(steps.map(({ workflow }) => workflow)).toEqual([filesOf('hero', 2)['a.json'], filesOf('hero', 2)['b.json']]);
  });

  it('is seen again and again through a link, and after the folder came back from elsewhere', async () => {
    await using one = await watched((dir) => {
      hero(dir);
      symlinkSync('a.json', join(dir, 'hero', 'b.link'));
      renameSync(join(dir, 'hero', 'b.link'), join(dir, 'hero', 'b.json'));
    });
    const folder = join(one.dir, 'hero');
    for (const save of [2, 3, 4]) {
      writeFileSync(join(folder, 'a.json'), JSON.stringify(graph(`save ${save}`)));
      await until(() => one.library.get('hero')?.template?.source.workflows['b.json']?.includes(`save ${save}`), true);
    }
    renameSync(folder, `${one.dir}-away`);
    await until(() => one.library.get('hero'), undefined);
    renameSync(`${one.dir}-away`, folder);
    await until(() => one.library.get('hero')?.runnable, true);
    for (const save of [5, 6]) {
      writeFileSync(join(folder, 'a.json'), JSON.stringify(graph(`save ${save}`)));
      await until(() => one.library.get('hero')?.template?.source.workflows['a.json']?.includes(`save ${save}`), true);
    }
    expect(one.library.get('hero')).toMatchObject({ runnable: true, problems: [] });
  });
});

const NOTHING: readonly [string, (dir: string) => void][] = [
  ['the same text again', (dir) => writeTemplate(join(dir, 'hero'), filesOf('hero', 1))],
  ['other rights', (dir) => chmodSync(join(dir, 'hero', 'a.json'), 0o600)],
  ['another time', (dir) => utimesSync(join(dir, 'hero', 'template.json'), 1, 1)],
  ['a file beside that is no part of it', (dir) => writeFileSync(join(dir, 'hero', 'notes.txt'), 'x')],
  [
    'an editor’s own files',
    (dir) => {
      for (const name of ['.a.json.swp', '4913', 'a.json~', '#a.json#', 'a.json.tmp']) writeFileSync(join(dir, 'hero', name), 'x');
      for (const name of ['.a.json.swp', '4913', 'a.json~', '#a.json#', 'a.json.tmp']) rmSync(join(dir, 'hero', name));
    },
  ],
  ['the same bytes through a new file', (dir) => byRename(join(dir, 'hero', 'a.json'), filesOf('hero', 1)['a.json'] ?? '')],
  [
    'the folder moved away and back at once',
    (dir) => {
      renameSync(join(dir, 'hero'), join(dir, 'hera'));
      renameSync(join(dir, 'hera'), join(dir, 'hero'));
    },
  ],
  ['JSON of another kind beside it', (dir) => writeFileSync(join(dir, 'package.json'), '{"name": "x"}')],
];

describe('a save that changes nothing', () => {
  it.each(NOTHING)('is not told: %s', async (_what, act) => {
    await using one = await watched(hero);
    act(one.dir);
    await one.settled();
    expect(toldOf(one)).toEqual([]);
    expect(titleOf(one)).toBe('save 1');
  });
});

describe('a template that is broken by a save', () => {
  it('keeps what last worked, shows what is wrong, and is mended by the rest of the file', async () => {
    await using one = await watched(hero);
    const file = join(one.dir, 'hero', 'b.json');
    const text = filesOf('hero', 2)['b.json'] ?? '';
    writeFileSync(file, text.slice(0, 40));
    await until(() => one.library.get('hero')?.runnable, false);
    expect(one.library.get('hero')).toMatchObject({ hash: expect.any(String), problems: [{ file, severity: 'error' }] });
    const { steps } = await one.service.render({ id: 'hero' });
    expect(steps.map(({ workflow }) => workflow)).toEqual([filesOf('hero', 1)['a.json'], filesOf('hero', 1)['b.json']]);
    appendFileSync(file, text.slice(40));
    await until(() => one.library.get('hero')?.runnable, true);
    await one.settled();
    expect(toldOf(one).map(({ runnable, problems }) => [runnable, problems.length])).toEqual([
      [false, 1],
      [true, 0],
    ]);
  });

  it('is told as removed once its folder is gone, and as new when it comes back with other content', async () => {
    await using one = await watched(hero);
    rmSync(join(one.dir, 'hero'), { recursive: true });
    await one.settled();
    expect(toldOf(one)).toEqual([{ id: 'hero', version: '1.0.0', runnable: false, problems: [], removed: true }]);
    writeTemplate(join(one.dir, 'hero'), filesOf('hero', 7));
    await one.settled();
    expect(toldOf(one).slice(1)).toEqual([{ id: 'hero', version: '1.0.0', runnable: true, problems: [] }]);
    expect(titleOf(one)).toBe('save 7');
  });
});

describe('names', () => {
  it('that differ in case only are one template under its new path', async () => {
    await using one = await watched((dir) => writeFileSync(join(dir, 'Still.json'), JSON.stringify(graph('x'))));
    renameSync(join(one.dir, 'Still.json'), join(one.dir, 'still.json'));
    await one.settled();
    expect(one.library.get('still')).toMatchObject({ runnable: true, origin: { path: join(one.dir, 'still.json') } });
    expect(one.library.list().filter(({ id }) => id === 'still')).toHaveLength(1);
  });

  it('claimed twice with different content are shown, the first is kept, and the conflict ends when one goes away', async () => {
    await using one = await watched(hero);
    writeTemplate(join(one.dir, 'later'), filesOf('hero', 2));
    await one.settled();
    const both = (): unknown =>
      one.library
        .list()
        .filter(({ id }) => id === 'hero')
        .map(({ facts, runnable }) => [facts?.title, runnable]);
    expect(both()).toEqual([
      ['save 1', true],
      ['save 2', false],
    ]);
    expect(one.library.list().find(({ origin }) => origin.path.endsWith('later'))?.problems).toMatchObject([{ code: 'TEMPLATE_CONFLICT' }]);
    rmSync(join(one.dir, 'hero'), { recursive: true });
    await one.settled();
    expect(both()).toEqual([['save 2', true]]);
    expect(toldOf(one, 'hero').at(-1)).toEqual({ id: 'hero', version: '1.0.0', runnable: true, problems: [] });
    writeTemplate(join(one.dir, 'later'), filesOf('hero', 2, '2.0.0'));
    hero(one.dir);
    await one.settled();
    expect(
      one.library
        .list()
        .filter(({ id }) => id === 'hero')
        .map(({ version, runnable }) => [version, runnable]),
    ).toEqual([
      ['2.0.0', true],
      ['1.0.0', true],
    ]);
  });
});

/** Small and repeatable: the sequence of a seed is the same everywhere. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe('a thousand saves', () => {
  it('at random leave the library, and a client that only listened, with what is on disk', async () => {
    const seed = Date.now() % 100_000;
    const roll = dice(seed);
    await using one = await watched((dir) => {
      for (let at = 0; at < 12; at += 1) writeTemplate(join(dir, `t${at}`), filesOf(`t${at}`, 0));
    });
    // Of several with one id and version the one that is used counts: it comes first.
    const shownTo = (): Map<string, string> =>
      new Map(
        one.library
          .list()
          .toReversed()
          .map(({ id, version, runnable, problems }) => [`${id}@${version}`, `${runnable} ${problems.length}`]),
      );
    const client = shownTo();
    one.service.onChange(({ id, version, runnable, problems, removed }) => {
      if (removed === true) client.delete(`${id}@${version}`);
      else client.set(`${id}@${version}`, `${runnable} ${problems.length}`);
    });
    for (let save = 1; save <= 1000; save += 1) {
      const id = `t${roll(16)}`;
      const folder = join(one.dir, id);
      const files = Object.entries(filesOf(id, roll(5)));
      const [name, text] = files[roll(files.length)] ?? ['a.json', ''];
      const act = roll(12);
      if (act === 0) rmSync(folder, { recursive: true, force: true });
      else if (act === 1) writeTemplate(folder, Object.fromEntries(files));
      else {
        mkdirSync(folder, { recursive: true });
        if (act < 5) writeFileSync(join(folder, name), text);
        else if (act < 7) byRename(join(folder, name), text);
        else if (act === 7) writeFileSync(join(folder, name), text.slice(0, roll(text.length)));
        else if (act === 8) rmSync(join(folder, name), { force: true });
        else if (act === 9) writeFileSync(join(one.dir, `bare-${id}.json`), JSON.stringify(graph(String(save))));
        else if (act === 10) rmSync(join(one.dir, `bare-${id}.json`), { force: true });
        else writeFileSync(join(folder, name), Buffer.from([0xff, 0xfe, 0x7b]));
      }
      if (roll(4) === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await one.settled();
    const fresh = createLibrary([one.dir]);
    await fresh.refresh();
    // What never worked, or no longer does, keeps its last good version here and has none in a fresh library.
    const shown = (library: Watched['library']): unknown =>
      library.list().map((loaded) => [loaded.origin.path, loaded.runnable, loaded.problems, ...(loaded.runnable ? [loaded.hash] : [])]);
    // An event that the system dropped is made up for by the look at everything that follows the last change.
    await until(() => ({ seed, shown: shown(one.library) }), { seed, shown: shown(fresh) });
    await until(() => ({ seed, client }), { seed, client: shownTo() });
    expect(client, `seed ${seed}`).toEqual(shownTo());
  });
});

describe('the directory itself', () => {
  it('is waited for when it is not there, and followed when it is a link that is pointed elsewhere', async () => {
    await using one = await watched((dir) => rmSync(dir, { recursive: true }));
    writeTemplate(join(one.dir, '..', 'first', 'hero'), filesOf('hero', 1));
    writeTemplate(join(one.dir, '..', 'second', 'hero'), filesOf('hero', 2));
    symlinkSync('first', one.dir);
    await until(() => titleOf(one), 'save 1');
    symlinkSync('second', `${one.dir}.link`);
    renameSync(`${one.dir}.link`, one.dir);
    await until(() => titleOf(one), 'save 2');
    writeTemplate(join(one.dir, 'hero'), filesOf('hero', 3));
    await until(() => titleOf(one), 'save 3');
    expect(toldOf(one).map(({ id, runnable }) => [id, runnable])).toEqual([1, 2, 3].map(() => ['hero', true]));
  });

  it('stays watched however often a folder in it is deleted and made anew', async () => {
    await using one = await watched(hero);
    for (let round = 2; round < 40; round += 1) {
      rmSync(join(one.dir, 'hero'), { recursive: true });
      writeTemplate(join(one.dir, 'hero'), filesOf('hero', round));
      if (round % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (round % 10 === 0) await until(() => titleOf(one), `save ${round}`);
    }
    for (const save of [50, 51, 52]) {
      writeTemplate(join(one.dir, 'hero'), filesOf('hero', save));
      await until(() => titleOf(one), `save ${save}`);
    }
    expect(toldOf(one).at(-1)).toEqual({ id: 'hero', version: '1.0.0', runnable: true, problems: [] });
  });
});

describe('a directory of a thousand templates', () => {
  it.each<[string, (from: string, to: string) => void]>([
    ['moved in', renameSync],
    ['copied in', (from, to) => cpSync(from, to, { recursive: true })],
  ])('that is %s is told template by template, once each', async (_how, drop) => {
    await using one = await watched(hero);
    const pack = join(one.dir, '..', 'pack');
    for (let at = 0; at < 1000; at += 1) writeTemplate(join(pack, `t${at}`), filesOf(`t${at}`, 1));
    drop(pack, join(one.dir, 'pack'));
    await until(() => one.library.list().filter(({ runnable }) => runnable).length, 1001);
    await one.settled();
    expect(toldOf(one)).toHaveLength(1000);
    expect(new Set(toldOf(one).map(({ id, runnable }) => runnable && id)).size).toBe(1000);
    writeFileSync(join(one.dir, 'pack', 't500', 'template.json'), filesOf('t500', 2)['template.json'] ?? '');
    await until(() => titleOf(one, 't500'), 'save 2');
  });

  it('leaves nothing behind when it goes: no entry, no open file, no watch', async () => {
    await using one = await watched(hero);
    const open = (): number => readdirSync('/proc/self/fd').length;
    await one.settled();
    const before = { open: open(), watches: one.folders() };
    for (let round = 0; round < 3; round += 1) {
      for (let at = 0; at < 100; at += 1) writeTemplate(join(one.dir, 'pack', `t${at}`), filesOf(`t${at}`, round));
      await until(() => one.library.use().runnable > 100, true);
      rmSync(join(one.dir, 'pack'), { recursive: true });
      await until(() => one.library.get('t99'), undefined);
    }
    for (const name of readdirSync(one.dir)) if (name.startsWith('mark-')) rmSync(join(one.dir, name));
    await until(() => one.library.use(), expect.objectContaining({ known: 1, runnable: 1, sources: 1 }));
    await until(open, before.open);
    await until(one.folders, before.watches);
    expect(readFileSync(join(one.dir, 'hero', 'a.json'), 'utf8')).toBe(filesOf('hero', 1)['a.json']);
  });
});
