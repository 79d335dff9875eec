/** Where an item goes: the backends that can take it, the live ones first, then the one that holds its models, then the least busy. Pure. */

/**
 * `up` answers. `silent` does not, which may be a model that loads: it keeps what it has and gets nothing new while another one is up.
 * `away` refuses connections or is no ComfyUI. `stuck` answers, and is proven to execute nothing any more: nothing is ever sent there.
 */
export type Health = 'up' | 'silent' | 'away' | 'stuck';

export interface Place {
  readonly id: string;
  readonly health: Health;
  /** False: it could not be asked yet whether it has the node classes and models. */
  readonly fits: boolean;
  /** How many more attempts may be sent to it now; 0 also while another engine has its graphics card. */
  readonly free: number;
  /** Prompts in its queue and at work, ours and those of others. */
  readonly load: number;
  /** Whether what ran there last used the models of this item. */
  readonly holdsModels: boolean;
}

/** Loading models is worth about as much waiting as this many prompts in a queue. */
export const COST_OF_LOADING = 1.5;

const ORDER: readonly Health[] = ['up', 'silent', 'away'];

/**
 * Those of `places` between which the item may choose, whether they have room or not: one that is up is waited for rather than
 * giving the item to one that is not. With nothing up the item goes to what there is, and says so there; with only stuck ones nowhere.
 */
export function eligible<P extends Pick<Place, 'health'>>(places: readonly P[]): readonly P[] {
  const best = ORDER.find((health) => places.some((place) => place.health === health));
  return places.filter((place) => place.health === best);
}

/** The place to go to now; undefined when the item has to wait. `places` are those that do not lack anything. */
export function route(places: readonly Place[]): Place | undefined {
  const [best] = eligible(places)
    .filter(({ free }) => free > 0)
    .toSorted((a, b) => Number(b.fits) - Number(a.fits) || costOf(a) - costOf(b) || Number(b.holdsModels) - Number(a.holdsModels));
  return best;
}

function costOf({ load, holdsModels }: Place): number {
  return load + (holdsModels ? 0 : COST_OF_LOADING);
}
