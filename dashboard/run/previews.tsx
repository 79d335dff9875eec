/** Pictures of what is being made, as the backends show them. */
import { useEffect, useState } from 'preact/hooks';
import type { PreviewNotice } from '../../src/protocol/events.ts';
import type { RunView } from '../../src/protocol/views.ts';
import type { OpenRun } from '../state/run.ts';
import { isEnded } from '../state/runs.ts';

/** What the browser is told to decode; anything else stays undrawn. */
const SHOWN = new Set(['image/jpeg', 'image/png', 'image/webp', 'image/gif']);

export function Previews({ run, view }: { readonly run: OpenRun; readonly view: RunView }) {
  const previews = [...run.previews.value].filter(([, { mediaType }]) => SHOWN.has(mediaType));
  if (previews.length === 0 || isEnded(view.status)) return <></>;
  return (
    <section aria-label="Previews">
      <h2>In the making</h2>
      <div class="grid">
        {previews.map(([key, notice]) => (
          <figure class="card preview" key={key}>
            <PreviewPicture notice={notice} />
            <figcaption>
              {view.steps.find(({ id }) => id === notice.step)?.title ?? notice.step}
              {` · item ${String(notice.item + 1)}`}
            </figcaption>
          </figure>
        ))}
      </div>
    </section>
  );
}

// --- helpers ---

function PreviewPicture({ notice: { mediaType, data } }: { readonly notice: PreviewNotice }) {
  const [url, setUrl] = useState<string | undefined>(undefined);
  useEffect(() => {
    const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
    const fresh = URL.createObjectURL(new Blob([bytes], { type: mediaType }));
    setUrl(fresh);
    return () => URL.revokeObjectURL(fresh);
  }, [data, mediaType]);
  return <div class="frame frame-square">{url !== undefined && <img src={url} alt="Preview" />}</div>;
}
