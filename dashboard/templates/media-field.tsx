/** A file as a parameter: picked, dropped or pasted here and sent at once, or named by its path on the daemon's machine. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { toErrorData } from '../../src/protocol/errors.ts';
import { Bar } from '../parts/basics.tsx';
import { Icon } from '../parts/icon.tsx';
import { bytes } from '../parts/words.ts';
import { upload } from './upload.ts';

interface MediaFieldProps {
  readonly id: string;
  readonly type: string;
  readonly extensions: readonly string[] | undefined;
  readonly value: string;
  readonly describedBy: string | undefined;
  readonly onChange: (value: string) => void;
}

const ACCEPT: Readonly<Record<string, string>> = {
  image: 'image/*',
  mask: 'image/*',
  video: 'video/*',
  audio: 'audio/*',
  model3d: '.glb,.gltf,.obj,.fbx,.stl,.ply,.usd,.usda,.usdc,.usdz',
};

interface Sent {
  readonly name: string;
  readonly size: number;
  readonly url: string | undefined;
  readonly value: string;
}

export function MediaField({ id, type, extensions, value, describedBy, onChange }: MediaFieldProps) {
  const [part, setPart] = useState<number | undefined>(undefined);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const [sent, setSent] = useState<Sent | undefined>(undefined);
  const [isOver, setOver] = useState(false);
  const leaving = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => leaving.current?.abort(), []);
  const url = sent?.url;
  useEffect(() => () => (url === undefined ? undefined : URL.revokeObjectURL(url)), [url]);

  const take = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return;
    leaving.current?.abort();
    const own = new AbortController();
    leaving.current = own;
    setProblem(undefined);
    setPart(0);
    try {
      const assetId = await upload(file, setPart, own.signal);
      const shown = file.type.startsWith('image/') && file.type !== 'image/svg+xml' ? URL.createObjectURL(file) : undefined;
      setSent({ name: file.name, size: file.size, url: shown, value: `asset:${assetId}` });
      onChange(`asset:${assetId}`);
    } catch (error) {
      if (!own.signal.aborted) setProblem(toErrorData(error).message);
    }
    if (leaving.current === own) setPart(undefined);
  };

  const accept = extensions?.map((one) => (one.startsWith('.') ? one : `.${one}`)).join(',') ?? ACCEPT[type] ?? '';
  const shown = sent?.value === value ? sent : undefined;
  return (
    <div
      class={`media-field ${isOver ? 'media-over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void take(event.dataTransfer?.files[0]);
      }}
    >
      <div class="media-now">
        {shown?.url === undefined ? (
          <Icon name={type === 'audio' ? 'sound' : type === 'video' ? 'film' : type === 'model3d' ? 'cube' : 'image'} />
        ) : (
          <img src={shown.url} alt="" />
        )}
        <div class="media-words">
          {shown === undefined ? (
            value === '' ? (
              <span class="dim">Drop a file here, or choose one.</span>
            ) : (
              <code class="path">{value}</code>
            )
          ) : (
            <span>
              {shown.name} <span class="dim">{bytes(shown.size)}</span>
            </span>
          )}
          {part !== undefined && <Bar value={part} label="Upload" />}
          {problem !== undefined && <span class="field-problem">{problem}</span>}
        </div>
        {value !== '' && (
          <button type="button" class="icon-button" aria-label="Take the file out" onClick={() => onChange('')}>
            <Icon name="close" />
          </button>
        )}
        <label class="button button-small file-button">
          Choose
          <input
            id={id}
            type="file"
            class="visually-hidden"
            accept={accept}
            aria-describedby={describedBy}
            onChange={(event) => {
              void take(event.currentTarget.files?.[0]);
              event.currentTarget.value = '';
            }}
          />
        </label>
      </div>
      <details class="media-path">
        <summary>or a path on the daemon’s machine</summary>
        <input
          type="text"
          aria-label="Path on the daemon's machine"
          placeholder="/…"
          value={value}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      </details>
    </div>
  );
}
