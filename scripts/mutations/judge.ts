/** What a real ComfyUI says of a graph: asked over HTTP, or looked up among recorded answers. */
import { createHash } from 'node:crypto';

/** `refused` as a whole, `partly`: some outputs are dropped and the rest runs, `taken` as a whole. */
export type Verdict = 'refused' | 'partly' | 'taken';

export type Judge = (name: string, text: string) => Promise<Verdict | undefined>;

/** Text as key: a graph, or a mutant, whose generator changed has no recorded answer any more. */
export function answerKey(name: string, text: string): string {
  return `${name} ${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;
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

export function recorded(answers: Readonly<Record<string, Verdict>>): Judge {
  return async (name, text) => answers[answerKey(name, text)];
}

/** Keeps what a judge said. */
export function recording(judge: Judge, into: Record<string, Verdict>): Judge {
  return async (name, text) => {
    const verdict = into[answerKey(name, text)] ?? (await judge(name, text));
    if (verdict !== undefined) into[answerKey(name, text)] = verdict;
    return verdict;
  };
}
