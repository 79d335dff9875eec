import { describe, expect, it } from 'vitest';
import { inOrderOfFetching, wantedFiles } from '#actors/wanted-files.ts';
import type { RemoteFile, RemoteText } from '#backends/contract.ts';

const file = (node: string, filename: string, more: Partial<RemoteFile> = {}): RemoteFile => ({
  node,
  key: 'images',
  filename,
  subfolder: '',
  type: 'output',
  ...more,
});
const text = (node: string, said: string, key?: string): RemoteText => ({ node, text: said, ...(key === undefined ? {} : { key }) });
const same = (node: string) => [node];

function wanted(
  declared: Record<string, string>,
  files: readonly RemoteFile[],
  texts: readonly RemoteText[] = [],
  nodesOf = same,
): string[] {
  return wantedFiles(declared, { files, texts }, nodesOf).map(
    ({ output, index, file: one }) => `${output}[${String(index)}] ${'filename' in one ? one.filename : one.text}`,
  );
}

describe('the files of a step', () => {
  const files = [file('9', 'a.png'), file('9', 'b.png'), file('4', 'c.png'), file('5', 't.png', { type: 'temp' })];

  it('are all saved ones where it declares nothing', () => {
    expect(wanted({}, files)).toEqual(['*[0] a.png', '*[1] b.png', '*[0] c.png']);
  });

  it('are those of the nodes that it names, temporary ones too', () => {
    expect(wanted({ portrait: '9', look: '5' }, files)).toEqual(['portrait[0] a.png', 'portrait[1] b.png', 'look[0] t.png']);
    expect(wanted({ rest: '*', portrait: '9' }, files)).toEqual(['portrait[0] a.png', 'portrait[1] b.png', 'rest[0] c.png']);
  });

  it('count for the node that a patch put another in the place of', () => {
    expect(wanted({ portrait: '9' }, [file('patched', 'p.png')], [], () => ['9'])).toEqual(['portrait[0] p.png']);
  });

  it('are texts as well', () => {
    expect(wanted({ said: '7' }, [], [text('7', 'one'), text('7', 'two'), text('8', 'other')])).toEqual(['said[0] one', 'said[1] two']);
  });

  it('are guesses only where a node that is named gave nothing else', () => {
    const tags = text('7', 'a tag', 'tags');
    expect(wanted({ tags: '7' }, [], [tags])).toEqual(['tags[0] a tag']);
    expect(wanted({ tags: '7' }, [], [tags, text('7', 'a text')])).toEqual(['tags[0] a text']);
    expect(wanted({ tags: '7' }, [file('7', 'a.png')], [tags])).toEqual(['tags[0] a.png']);
    expect(wanted({}, [file('9', 'a.png')], [tags])).toEqual(['*[0] a.png']);
    expect(wanted({}, [], [tags])).toEqual([]);
  });

  it('are files that were only found where they are asked for, or where there is nothing else', () => {
    const found = file('3', 'model.safetensors', { isGuess: true });
    expect(wanted({}, [file('9', 'a.png'), found])).toEqual(['*[0] a.png']);
    expect(wanted({}, [found])).toEqual(['*[0] model.safetensors']);
    expect(wanted({ model: '3', portrait: '9' }, [file('9', 'a.png'), found])).toEqual(['portrait[0] a.png', 'model[0] model.safetensors']);
  });

  it('are fetched with the temporary ones first, and keep their numbers', () => {
    const all = wantedFiles({ portrait: '9', look: '5' }, { files, texts: [] }, same);
    expect(inOrderOfFetching(all).map(({ output, index }) => `${output} ${String(index)}`)).toEqual(['look 0', 'portrait 0', 'portrait 1']);
  });
});
