/** A picture of what is being made, as its backend shows it. */
import { useEffect, useState } from 'preact/hooks';
import type { PreviewNotice } from '../../src/protocol/events.ts';

/** What the browser is told to decode; anything else stays undrawn. */
const SHOWN = new Set(['image/jpeg', 'image/png', 'image/webp', 'image/gif']);

export function canShow({ mediaType }: PreviewNotice): boolean {
  return SHOWN.has(mediaType);
}

export function PreviewCard({ notice, step }: { readonly notice: PreviewNotice; readonly step: string }) {
  const url = useObjectUrl(notice);
  return (
    <figure class="card preview">
      <div class="frame">{url !== undefined && <img src={url} alt={`Preview of item ${String(notice.item + 1)}`} />}</div>
      <figcaption class="caption">
        {step}
        <br />
        <span class="tone-text-busy">In the making</span>
      </figcaption>
    </figure>
  );
}

// --- helpers ---

function useObjectUrl({ mediaType, data }: PreviewNotice): string | undefined {
  const [url, setUrl] = useState<string | undefined>(undefined);
  useEffect(() => {
    const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
    const fresh = URL.createObjectURL(new Blob([bytes], { type: mediaType }));
    setUrl(fresh);
    return () => URL.revokeObjectURL(fresh);
  }, [data, mediaType]);
  return url;
}
