/** A file as what it is: a picture, a film, a sound, a text, or an honest card where a browser shows nothing. */
import { useEffect, useState } from 'preact/hooks';
import type { ArtifactView } from '../../src/protocol/views.ts';
import { Icon, type IconName } from '../parts/icon.tsx';
import { bytes, duration } from '../parts/words.ts';
import { canBeTurned, formatOf, ModelViewer } from './model-viewer.tsx';

/** What the daemon sends to be shown; everything else it sends to be saved. */
const PICTURES = new Set(['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/avif']);
const FILMS = new Set(['video/mp4', 'video/webm', 'video/quicktime']);
const SOUNDS = new Set(['audio/mpeg', 'audio/wav', 'audio/flac', 'audio/ogg', 'audio/mp4']);
const TEXT_SHOWN = 4000;
const TEXT_BYTES = 1_000_000;

export function urlOf({ artifactId }: Pick<ArtifactView, 'artifactId'>): string {
  return `/artifacts/${encodeURIComponent(artifactId)}`;
}

export function nameOf({ path }: Pick<ArtifactView, 'path'>): string {
  return path.split(/[/\\]/).at(-1) ?? path;
}

/** `1024 × 1024 · 1.2 MB` */
export function sizeWords({ width, height, duration: seconds, bytes: size, facts }: ArtifactView): string {
  return [
    ...(width === undefined || height === undefined ? [] : [`${String(width)} × ${String(height)}`]),
    ...(seconds === undefined ? [] : [duration(seconds * 1000)]),
    ...(facts?.frames === undefined ? [] : [`${String(facts.frames)} frames`]),
    bytes(size),
  ].join(' · ');
}

export function isPicture({ mediaType }: Pick<ArtifactView, 'mediaType'>): boolean {
  return PICTURES.has(mediaType);
}

interface ArtifactMediaProps {
  readonly artifact: ArtifactView;
  readonly isLarge?: boolean;
  /** Absent: what is small stays small. */
  readonly onOpen?: () => void;
}

export function ArtifactMedia({ artifact, isLarge = false, onOpen }: ArtifactMediaProps) {
  const { mediaType, kind, width, height } = artifact;
  const url = urlOf(artifact);
  const name = nameOf(artifact);
  if (PICTURES.has(mediaType)) {
    return <img src={url} alt={name} loading={isLarge ? 'eager' : 'lazy'} decoding="async" width={width} height={height} />;
  }
  if (FILMS.has(mediaType)) {
    return (
      <video
        // With a time in the fragment a browser draws the picture there, also of a film that does not play.
        src={isLarge ? url : `${url}#t=0.01`}
        controls={isLarge}
        muted={!isLarge}
        loop={!isLarge}
        preload="metadata"
        width={width}
        height={height}
        aria-label={name}
      />
    );
  }
  if (SOUNDS.has(mediaType)) {
    return (
      <div class="sound">
        <Icon name="sound" />
        <audio src={url} controls preload="metadata" aria-label={name} />
      </div>
    );
  }
  if (kind === 'text' && artifact.bytes <= TEXT_BYTES) return <TextFile url={url} isLarge={isLarge} />;
  if (isLarge && canBeTurned(artifact)) return <ModelViewer url={url} format={formatOf(artifact)} />;
  return <FileCard artifact={artifact} onOpen={onOpen} />;
}

// --- helpers ---

const ICONS: Partial<Record<ArtifactView['kind'], IconName>> = {
  model3d: 'cube',
  image: 'image',
  animation: 'film',
  video: 'film',
  audio: 'sound',
  text: 'text',
};

const WHY: Partial<Record<ArtifactView['kind'], string>> = {
  model3d: 'A 3D model of a kind that is not shown here; open it in Blender.',
  image: 'Browsers do not show this kind of picture.',
  video: 'Browsers do not play this kind of film.',
  animation: 'Browsers do not play this kind of film.',
  audio: 'Browsers do not play this kind of sound.',
  latent: 'A latent: numbers for a model, nothing to look at.',
};

/** An SVG may carry scripts, so the daemon hands it out to be saved and never to be shown. */
const SVG = 'An SVG may carry scripts, so it is not shown here.';

function FileCard({ artifact, onOpen }: { readonly artifact: ArtifactView; readonly onOpen: (() => void) | undefined }) {
  const { kind, mediaType } = artifact;
  const about =
    mediaType === 'image/svg+xml' ? SVG : canBeTurned(artifact) ? 'A 3D model.' : (WHY[kind] ?? 'Nothing that a browser shows.');
  return (
    <div class="file-card">
      <Icon name={ICONS[kind] ?? 'file'} />
      <strong>{formatOf(artifact).toUpperCase().slice(0, 12)}</strong>
      <span class="dim">{about}</span>
      {onOpen !== undefined && canBeTurned(artifact) && (
        <button type="button" class="button button-small" onClick={onOpen}>
          <Icon name="cube" />
          View
        </button>
      )}
      <a class="button button-small" href={urlOf(artifact)} download={nameOf(artifact)} onClick={(event) => event.stopPropagation()}>
        <Icon name="download" />
        Download {bytes(artifact.bytes)}
      </a>
    </div>
  );
}

function TextFile({ url, isLarge }: { readonly url: string; readonly isLarge: boolean }) {
  const [text, setText] = useState<string | undefined>(undefined);
  useEffect(() => {
    const leaving = new AbortController();
    fetch(url, { signal: leaving.signal })
      .then(async (response) => setText(response.ok ? await response.text() : 'The file is gone.'))
      .catch(() => undefined);
    return () => leaving.abort();
  }, [url]);
  return <pre class="text-file">{isLarge ? text : text?.slice(0, TEXT_SHOWN)}</pre>;
}
