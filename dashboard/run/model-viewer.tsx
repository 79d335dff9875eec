/** Shows a 3D model large, and says so plainly where that can not be. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ArtifactView } from '../../src/protocol/views.ts';
import type { ModelView } from '../model3d/viewer.ts';

/** What the viewer reads. */
const FORMATS: ReadonlySet<string> = new Set(['glb', 'stl', 'ply', 'obj']);
/** Bytes: larger ones are for Blender. */
const MOST = 200_000_000;

export function formatOf({ asset, path }: Pick<ArtifactView, 'asset' | 'path'>): string {
  return (asset?.format ?? path.split('.').at(-1) ?? '').toLowerCase();
}

export function canBeTurned(artifact: Pick<ArtifactView, 'kind' | 'asset' | 'path' | 'bytes'>): boolean {
  return artifact.kind === 'model3d' && FORMATS.has(formatOf(artifact)) && artifact.bytes <= MOST;
}

export function ModelViewer({ url, format }: { readonly url: string; readonly format: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [state, setState] = useState<'reading' | 'shown' | 'failed'>('reading');
  useEffect(() => {
    const leaving = new AbortController();
    let view: ModelView | undefined;
    const show = async (): Promise<void> => {
      const [{ mountModel }, file] = await Promise.all([
        import('../model3d/viewer.ts'),
        fetch(url, { signal: leaving.signal }).then((response) => response.arrayBuffer()),
      ]);
      const { current } = canvas;
      if (leaving.signal.aborted || current === null) return;
      view = await mountModel(current, file, format);
      if (leaving.signal.aborted) view.unmount();
      else setState('shown');
    };
    show().catch(() => {
      if (!leaving.signal.aborted) setState('failed');
    });
    return () => {
      leaving.abort();
      view?.unmount();
    };
  }, [url, format]);
  return (
    <div class="model" aria-busy={state === 'reading'} data-state={state}>
      <canvas ref={canvas} tabIndex={0} aria-label="3D model. Arrow keys turn it, plus and minus zoom." />
      {state === 'shown' && <p class="model-words dim">Drag to turn it, scroll to zoom.</p>}
      {state === 'failed' && (
        <p class="model-words">
          This model can not be shown here: it is damaged, compressed in a way of its own, or there is no WebGL. Blender reads it.
        </p>
      )}
    </div>
  );
}
