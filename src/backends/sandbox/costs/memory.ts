/** Where models lie in the model server: files in main memory, parts of them on the card, and what it takes to bring them there. */
import type { Prices } from './cost-model.ts';

export interface FileUse {
  readonly name: string;
  readonly bytes: number;
}

/** Weights that go onto the card together, as ComfyUI moves them: a diffusion model, a text encoder, a VAE, a ControlNet. */
export interface Part {
  /** Of one load of a file; loaded anew it is another. */
  readonly id: string;
  readonly files: readonly FileUse[];
  readonly bytes: number;
  /** What LoRAs are worked into the weights: with others the part goes onto the card anew. */
  readonly patches: string;
}

export interface Moved {
  readonly seconds: number;
  /** From the disk. */
  readonly bytesRead: number;
  /** Onto the card. */
  readonly bytesMoved: number;
  /** Parts that were moved, wholly or in part. */
  readonly loads: number;
}

export interface Memory {
  /** A loader ran: its file is in main memory afterwards. */
  open(file: FileUse): Moved;
  /** All of them are needed at the same time. `offloaded` bytes found no room and are brought again at every step. */
  use(parts: readonly Part[]): Moved & { readonly offloaded: number; readonly moved: readonly Pick<Part, 'id' | 'patches' | 'bytes'>[] };
  /** The results that hold these parts are gone: the card is free of them at once. */
  forget(prefix: string): void;
  /** Nothing is on the card any more; main memory, and the system's page cache in it, is as it was. */
  empty(): void;
}

interface Resident {
  readonly bytes: number;
  readonly patches: string;
  /** On the card; the rest of `bytes` is offloaded. */
  there: number;
}

type Rates = Pick<Prices, 'vramBytes' | 'ramBytes' | 'readBytesPerSecond' | 'transferBytesPerSecond'>;

export function createMemory(rates: Rates): Memory {
  /** Oldest use first. */
  const ram = new Map<string, number>();
  const card = new Map<string, Resident>();

  const read = (file: FileUse): number => {
    const known = ram.delete(file.name);
    ram.set(file.name, file.bytes);
    let total = [...ram.values()].reduce((sum, bytes) => sum + bytes, 0);
    for (const [name, bytes] of ram) {
      if (total <= rates.ramBytes || name === file.name) break;
      ram.delete(name);
      total -= bytes;
    }
    return known ? 0 : file.bytes;
  };
  const free = (): number => rates.vramBytes - [...card.values()].reduce((sum, { there }) => sum + there, 0);

  /** What is most offloaded goes first, then what is small, then what was used longest ago; no more than is needed. */
  const makeRoom = (bytes: number, keep: ReadonlySet<string>): void => {
    const others = [...card].filter(([id]) => !keep.has(id));
    const offloaded = ({ bytes: all, there }: Resident): number => all - there;
    others.sort(([, a], [, b]) => offloaded(b) - offloaded(a) || a.bytes - b.bytes);
    for (const [id, resident] of others) {
      const missing = bytes - free();
      if (missing <= 0) return;
      resident.there -= Math.min(resident.there, missing);
      if (resident.there === 0) card.delete(id);
    }
  };

  return {
    open(file) {
      const bytesRead = read(file);
      return { seconds: bytesRead / rates.readBytesPerSecond, bytesRead, bytesMoved: 0, loads: 0 };
    },
    use(parts) {
      let [bytesRead, bytesMoved, loads, offloaded] = [0, 0, 0, 0];
      for (const { id, bytes, patches } of parts) {
        const found = card.get(id);
        card.delete(id);
        card.set(id, found?.patches === patches ? found : { bytes, patches, there: 0 });
      }
      const moved: Pick<Part, 'id' | 'patches' | 'bytes'>[] = [];
      const keep = new Set(parts.map(({ id }) => id));
      const missing = (): number => parts.reduce((sum, { id, bytes }) => sum + bytes - (card.get(id)?.there ?? 0), 0);
      makeRoom(missing(), keep);
      for (const part of parts) {
        const resident = card.get(part.id);
        if (resident === undefined) continue;
        const gain = Math.min(part.bytes - resident.there, Math.max(0, free()));
        offloaded += part.bytes - resident.there - gain;
        if (gain === 0) continue;
        for (const file of part.files) bytesRead += read(file);
        resident.there += gain;
        moved.push({ id: part.id, patches: part.patches, bytes: gain });
        bytesMoved += gain;
        loads += 1;
      }
      const seconds = bytesRead / rates.readBytesPerSecond + bytesMoved / rates.transferBytesPerSecond;
      return { seconds, bytesRead, bytesMoved, loads, offloaded, moved };
    },
    forget(prefix) {
      for (const id of card.keys()) if (id.startsWith(prefix)) card.delete(id);
    },
    empty: () => card.clear(),
  };
}
