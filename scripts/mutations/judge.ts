/** What a real ComfyUI says of a graph: asked over HTTP, or looked up among recorded answers. */
import { createHash } from 'node:crypto';

/** `refused` as a whole, `partly`: some outputs are dropped and the rest runs, `taken` as a whole. */
export type Verdict = 'refused' | 'partly' | 'taken';

export type Judge = (name: string, text: string) => Promise<Verdict | undefined>;

/** Keys of graphs and mutants by what a server said of them: short enough for a fixture. */
export type Answers = Readonly<Record<Verdict, readonly string[]>>;

/** A graph, or a mutant, whose generator changed has no recorded answer any more. */
function answerKey(name: string, text: string): string {
  return createHash('sha256').update(`${name}\n${text}`).digest('hex').slice(0, 12);
}

/**
 * Posts to a ComfyUI and takes back at once what it accepted: its queue is emptied and what runs is interrupted, so give it
 * a server of its own. A server keeps nothing of what it refuses.
 */
export function askServer(url: string): Judge {
  const post = (path: string, body: string): Promise<Response> =>
    fetch(new URL(path, url), { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  return async (_name, text) => {
    const response = await post('/prompt', `{"prompt":${text},"client_id":"mutations"}`);
    const answer = await response.text();
    if (response.status !== 200) return 'refused';
    await post('/queue', '{"clear":true}');
    await post('/interrupt', '{}');
    // Not parsed: an answer may repeat a bare NaN that it complains of.
    return /"node_errors":\s*\{\s*\}/.test(answer) ? 'taken' : 'partly';
  };
}

export function recorded(answers: Answers): Judge {
  const said = new Map(
    Object.entries(answers).flatMap(([verdict, keys]) => keys.map((key): [string, Verdict] => [key, verdict as Verdict])),
  );
  return async (name, text) => said.get(answerKey(name, text));
}

/** Keeps what a judge says; `answers` gives it out, sorted. */
export function recording(judge: Judge): { readonly judge: Judge; readonly answers: () => Answers } {
  const said = new Map<string, Verdict>();
  const of = (verdict: Verdict): string[] =>
    [...said]
      .filter(([, one]) => one === verdict)
      .map(([key]) => key)
      .toSorted();
  return {
    judge: async (name, text) => {
      const verdict = await judge(name, text);
      if (verdict !== undefined) said.set(answerKey(name, text), verdict);
      return verdict;
    },
    answers: () => ({ refused: of('refused'), partly: of('partly'), taken: of('taken') }),
  };
}
