/** Where the page is: kept in the fragment, so that links, back and reload work without the daemon knowing of them. */
import { computed, signal } from '@preact/signals';

export type Place =
  | { readonly page: 'runs' }
  | { readonly page: 'run'; readonly runId: string; readonly tab: string; readonly step?: string }
  | { readonly page: 'templates' }
  | { readonly page: 'template'; readonly id: string; readonly version: string | undefined; readonly from: string | undefined }
  | { readonly page: 'backends' }
  | { readonly page: 'machines' };

const fragment = signal(location.hash);
addEventListener('hashchange', () => (fragment.value = location.hash));

export const place = computed<Place>(() => parse(fragment.value));

export function go(to: string): void {
  location.hash = to;
}

/** Changes the address without a new entry in the history. */
export function replace(to: string): void {
  history.replaceState(null, '', `#${to}`);
  fragment.value = `#${to}`;
}

export const to = {
  runs: () => '/runs',
  run: (runId: string, tab = 'overview', step?: string) =>
    ['/runs', runId, ...(tab === 'overview' && step === undefined ? [] : [tab]), ...(step === undefined ? [] : [step])].map(part).join('/'),
  templates: () => '/templates',
  template: (id: string, version?: string, from?: string) =>
    ['/templates', id, ...(version === undefined ? [] : [version]), ...(from === undefined ? [] : ['from', from])].map(part).join('/'),
  backends: () => '/backends',
  machines: () => '/machines',
};

// --- helpers ---

function part(text: string, index: number): string {
  return index === 0 ? text : encodeURIComponent(text);
}

function parse(hash: string): Place {
  const [page, id, second, third, fourth] = hash
    .replace(/^#?\/?/, '')
    .split('/')
    .map(decode);
  switch (page) {
    case 'runs':
      if (id === undefined || id === '') return { page: 'runs' };
      return { page: 'run', runId: id, tab: second ?? 'overview', ...(third === undefined ? {} : { step: third }) };
    case 'templates': {
      if (id === undefined || id === '') return { page: 'templates' };
      if (second === 'from') return { page: 'template', id, version: undefined, from: third };
      return { page: 'template', id, version: second, from: third === 'from' ? fourth : undefined };
    }
    case 'backends':
      return { page: 'backends' };
    case 'machines':
      return { page: 'machines' };
    default:
      return { page: 'runs' };
  }
}

/** What a person typed may be no encoding at all. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
