/** What real servers reported, as it was recorded: every file and text is found, for its own node, in order. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readEndedJob, readHistoryEntry } from '#backends/comfyui/history.ts';
import { isFields } from '#backends/comfyui/replies.ts';
import type { Fields } from '#backends/comfyui/replies.ts';
import type { RemoteOutputs } from '#backends/contract.ts';
import { OUTPUT_CASES } from '../../contracts/output-cases.ts';

const FOLDER = new URL('../../fixtures/comfyui-outputs/', import.meta.url);

interface Recorded {
  readonly name: string;
  readonly server: string;
  readonly entry: Fields;
  readonly job: Fields | undefined;
}

const RECORDED = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file): Recorded => {
    const record = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as {
      readonly case: string;
      readonly server: string;
      readonly history: Readonly<Record<string, Fields>>;
      readonly job?: unknown;
    };
    const [entry = {}] = Object.values(record.history);
    return { name: record.case, server: record.server, entry, job: isFields(record.job) ? record.job : undefined };
  });

function outputsOf(ended: ReturnType<typeof readEndedJob>): RemoteOutputs {
  return ended?.state === 'finished' ? ended.outputs : { files: [], texts: [], cachedNodes: [] };
}

const shown = ({ files, texts }: RemoteOutputs) => [
  ...files.map(
    ({ node, key, type, subfolder, filename }) => `${node} ${key} ${type} ${subfolder} ${filename.replace(/temp_\w{5}/, 'temp')}`,
  ),
  ...texts.map(({ node, text }) => `${node}: ${text}`),
];

/** Of 0.33.0, recorded without a list of what they should give. */
const OF_0_33: Readonly<Record<string, readonly string[]>> = {
  animated_png: ['2 images output  anim_00002_.png'],
  empty_output_no_ui: ['2: x'],
  extra_unknown_input: ['2 images output  ComfyUI_00002_.png'],
  imagecompare: ['3 a_images temp  comfy.compare.a_temp_00001_.png', '3 b_images temp  comfy.compare.b_temp_00001_.png'],
  preview3dadvanced: ['2 result output  preview3d_advanced_0c3367378a5b41d497e867f50beaa8d7.glb'],
  previewany_int: ['2: 42'],
  saveaudiomp3: ['2 audio output audio ComfyUI_00002.mp3'],
  saveimageadvanced: ['2 images output adv ComfyUI_00001.png', '2 images output adv ComfyUI_00002.png'],
  savetext: ['2 files output txt ComfyUI_00001.md', '2: line'],
  savevideo: ['3 images output video ComfyUI_00001_.mp4'],
  savewebm: ['2 images output webm ComfyUI_00001_.webm'],
};

describe('recorded outputs of ComfyUI 0.33.0', () => {
  const recorded = RECORDED.filter(({ server }) => server === '0.33.0');
  it('are all known', () => expect(recorded.map(({ name }) => name).toSorted()).toEqual(Object.keys(OF_0_33).toSorted()));

  for (const { name, entry, job } of recorded) {
    it(`of ${name} are read from the history and from the job alike`, () => {
      expect(shown(outputsOf(readHistoryEntry(entry)))).toEqual(OF_0_33[name]);
      expect(shown(outputsOf(readEndedJob(job ?? {})))).toEqual(OF_0_33[name]);
    });
  }
});

describe('recorded outputs of ComfyUI 0.3.64', () => {
  for (const { name, entry } of RECORDED.filter(({ server }) => server === '0.3.64')) {
    it(`are read: ${name}`, () => {
      const expected = OUTPUT_CASES.find((one) => one.name === name);
      const { files, texts } = outputsOf(readHistoryEntry(entry));
      const counts: Record<string, number> = {};
      for (const { node } of files) counts[node] = (counts[node] ?? 0) + 1;
      // What no node reported has to be looked for; this one is sent as another class.
      const isUnseen = expected?.isGuess === true || name.endsWith('over the socket');
      expect(counts).toEqual(
        isUnseen ? {} : Object.fromEntries(Object.entries(expected?.files ?? {}).map(([node, kinds]) => [node, kinds.length])),
      );
      expect(files.every(({ type }) => type === (expected?.temp === true ? 'temp' : 'output'))).toBe(true);
      expect(texts.map(({ node }) => node)).toEqual(Object.entries(expected?.texts ?? {}).flatMap(([node, all]) => all.map(() => node)));
      // Numbers of a batch, of a list and of an expansion rise.
      const numbers = files.map(({ filename }) => Number(/-?(\d+)_?(?:\d{5})?_?\.\w+$/.exec(filename)?.[1] ?? 0));
      expect(
        numbers.length < 2 || name.includes('compare') || name.includes('share') || name.includes('under keys') || isRising(numbers),
      ).toBe(true);
    });
  }
});

function isRising(numbers: readonly number[]): boolean {
  return numbers.every((number, index) => index === 0 || number >= (numbers[index - 1] ?? 0));
}
