/** The doctor's look at ComfyUI: the two usual addresses, and every backend that is configured. */
import { type Finding, finding } from './finding.ts';

/** 8188 is ComfyUI's own default, 8000 that of its desktop application. */
const USUAL = ['http://127.0.0.1:8188', 'http://127.0.0.1:8000'];
const PATIENCE_MS = 3000;

export type Probe =
  | { readonly state: 'comfyui'; readonly version: string }
  | { readonly state: 'other' | 'slow' | 'absent'; readonly reason: string };

/** `configured`: addresses that runs would go to; what is wrong with them blocks. */
export async function checkComfyui(configured: readonly string[], headers: Readonly<Record<string, string>> = {}): Promise<Finding[]> {
  const trimmed = configured.map((url) => url.replace(/\/+$/, ''));
  const all = [...new Set([...trimmed, ...USUAL])];
  return Promise.all(all.map(async (url) => describe(url, await probe(url, headers), trimmed.includes(url))));
}

/** Asks for `/system_stats`, which every ComfyUI since 2023 answers. */
export async function probe(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Probe> {
  try {
    const response = await fetch(`${url}/system_stats`, { headers, redirect: 'manual', signal: AbortSignal.timeout(PATIENCE_MS) });
    const text = await response.text();
    const version = versionOf(text);
    if (response.ok && version !== undefined) return { state: 'comfyui', version };
    const what = text.trimStart().startsWith('<') ? 'an HTML page' : 'something else';
    return { state: 'other', reason: `HTTP ${response.status} with ${what}` };
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError')
      return { state: 'slow', reason: `no answer within ${PATIENCE_MS / 1000} s` };
    const cause = error instanceof Error ? error.cause : undefined;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no connection';
    return { state: 'absent', reason: code === 'ECONNREFUSED' ? 'connection refused' : code };
  }
}

// --- helpers ---

function versionOf(text: string): string | undefined {
  try {
    const value = JSON.parse(text) as { readonly system?: { readonly comfyui_version?: unknown; readonly python_version?: unknown } };
    const system = value.system;
    if (system?.python_version === undefined) return undefined;
    return typeof system.comfyui_version === 'string' ? system.comfyui_version : 'of an unnamed version';
  } catch {
    return undefined;
  }
}

function describe(url: string, found: Probe, isConfigured: boolean): Finding {
  const bad = isConfigured ? 'error' : 'info';
  switch (found.state) {
    case 'comfyui':
      return finding('comfyui', 'ok', `ComfyUI ${found.version} at ${url}`);
    case 'other':
      return finding(
        'comfyui',
        bad,
        `Something else than ComfyUI answers at ${url}: ${found.reason}.`,
        'Check the address; behind a proxy it may need headers, see docs/cli.md.',
      );
    case 'slow':
      return finding(
        'comfyui',
        isConfigured ? 'warning' : 'info',
        `ComfyUI at ${url} does not answer: ${found.reason}.`,
        'It may be loading a model; look at its own window and ask again.',
      );
    default: {
      const hint = isConfigured
        ? 'Start it, or correct the address of the backend.'
        : `Start ComfyUI there, or name another: --backend comfyui=URL. Without one the sandbox draws drafts.`;
      return finding('comfyui', bad, `No ComfyUI at ${url} (${found.reason}).`, hint);
    }
  }
}
