/**
 * Who has a graphics card that several backends share: one at a time. The next gets it once the one before is done and has let go of its
 * memory. Pure: says what is to be done, does nothing.
 */

/** So many attempts of the one that has the card go before others that wait for it get it: loading models is dear. */
export const TURNS_BEFORE_HAND_OVER = 8;

export interface Card {
  /** Ids of the backends on it. */
  readonly members: readonly string[];
  /** Undefined: nobody was given it by us yet, and whatever runs there by itself may hold its memory. */
  readonly holder: string | undefined;
  /** Who is to have it next, while the others are made to let go. */
  readonly next: string | undefined;
  /** Attempts of the holder that went while another one wanted the card. */
  readonly turns: number;
}

export interface Wanting {
  /** Attempts of ours that it works on or has queued. */
  readonly busy: (id: string) => boolean;
  /** Members for which an item waits that could go nowhere else that has room, in order of turn. */
  readonly wanted: readonly string[];
}

export function newCard(members: readonly string[]): Card {
  return { members, holder: undefined, next: undefined, turns: 0 };
}

/** Whether an attempt may be sent to this member now. */
export function mayUse({ holder, next, turns }: Card, id: string, isWantedByOthers: boolean): boolean {
  return holder === id && next === undefined && !(isWantedByOthers && turns >= TURNS_BEFORE_HAND_OVER);
}

/** After an attempt was sent to the holder. */
export function sent(card: Card, isWantedByOthers: boolean): Card {
  return { ...card, turns: isWantedByOthers ? card.turns + 1 : 0 };
}

/**
 * The card after a look at who wants it; with `next` newly set the others have to let go (see `letGo`) before `handed`.
 * The holder keeps it while it is busy, or wanted and within its turns.
 */
export function decide(card: Card, { busy, wanted }: Wanting): Card {
  const { members, holder, next, turns } = card;
  // Nobody waits for it any more, and others do: they need not wait until it would have had the card.
  if (next !== undefined) return !wanted.includes(next) && wanted.some((id) => members.includes(id)) ? { ...card, next: undefined } : card;
  const others = wanted.filter((id) => id !== holder && members.includes(id));
  const [first] = others;
  if (first === undefined) return card;
  if (holder === undefined) {
    // After a restart of ours: who still works there has it.
    const working = members.filter((id) => busy(id));
    if (working.length > 0) return { ...card, holder: working.find((id) => id === first) ?? working[0] };
    return { ...card, next: first };
  }
  if (members.some((id) => busy(id))) return card;
  return wanted.includes(holder) && turns < TURNS_BEFORE_HAND_OVER ? card : { ...card, next: first };
}

/** Who has to unload its models before `next` begins. */
export function letGo({ members, next }: Card): readonly string[] {
  return members.filter((id) => id !== next);
}

export function handed({ members, next }: Card): Card {
  return { members, holder: next, next: undefined, turns: 0 };
}
