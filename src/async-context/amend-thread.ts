/** The thread that amends one upload: see index.ts. The code is a tenant's: it may exhaust the thread's memory or time. */
import { parentPort, workerData } from 'node:worker_threads';
import { amendModule } from './amend.ts';
import { shiftMap } from './shift-map.ts';

export interface AmendJob {
  readonly name: string;
  readonly kind: 'cjs' | 'esm';
  readonly content: Uint8Array;
  /** The JSON of its source map. */
  readonly map: string | undefined;
}

/** Undefined where a module stays as it is. */
export type AmendResult = { readonly content: Uint8Array; readonly map: string | undefined } | undefined;

const results = (workerData as readonly AmendJob[]).map(amend);
parentPort?.postMessage(results);

function amend({ kind, content, map }: AmendJob): AmendResult {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
    const amended = amendModule(text, kind);
    if (amended === undefined) return undefined;
    return {
      content: new TextEncoder().encode(amended.text),
      map: map === undefined ? undefined : tryShift(map, text, amended.insertions),
    };
  } catch {
    return undefined; // V8 says what is wrong with it, when it compiles it
  }
}

function tryShift(map: string, text: string, insertions: Parameters<typeof shiftMap>[2]): string | undefined {
  try {
    return shiftMap(map, text, insertions);
  } catch {
    return undefined;
  }
}
