/** The functions of a profile in the files and lines that their author wrote. */
import type { CallFrame, CpuProfile } from './cpu-profile.ts';

/** Maps stacks, each a text; gives them back in the same order, what cannot be mapped as it was. */
export type MapTexts = (texts: readonly string[]) => Promise<readonly string[]>;

const FRAME = /^ {4}at (.*) \((.*):(\d+):(\d+)\)$/s;

export async function mapCallFrames(profile: CpuProfile, mapTexts: MapTexts): Promise<CpuProfile> {
  const places = new Map<string, CallFrame>();
  for (const { callFrame } of profile.nodes) {
    if (callFrame.url !== '' && callFrame.lineNumber >= 0) places.set(toStackFrame(callFrame), callFrame);
  }
  const texts = [...places.keys()];
  const mapped = await mapTexts(texts);
  const sources = new Map(texts.map((text, index) => [text, toPlace(places.get(text)!, mapped[index] ?? text)]));
  // Its name stays its own: two functions may be made at the same place.
  const nodes = profile.nodes.map((node) => {
    const place = sources.get(toStackFrame(node.callFrame));
    return place === undefined ? node : { ...node, callFrame: { ...node.callFrame, ...place } };
  });
  return { ...profile, nodes };
}

/** As V8 writes it in a stack; a name that could end the frame is none. */
function toStackFrame({ functionName, url, lineNumber, columnNumber }: CallFrame): string {
  const name = /^[\w$.# ]+$/.test(functionName) ? functionName : 'anonymous';
  return `    at ${name} (${url}:${lineNumber + 1}:${columnNumber + 1})`;
}

type Place = Pick<CallFrame, 'url' | 'lineNumber' | 'columnNumber'>;

function toPlace({ url: uploaded, lineNumber, columnNumber }: Place, text: string): Place {
  const [, , url, line, column] = FRAME.exec(text) ?? [];
  if (url === undefined) return { url: uploaded, lineNumber, columnNumber };
  return { url, lineNumber: Number(line) - 1, columnNumber: Number(column) - 1 };
}
