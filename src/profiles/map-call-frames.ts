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
  const frames = new Map(texts.map((text, index) => [text, toCallFrame(places.get(text)!, mapped[index] ?? text)]));
  const nodes = profile.nodes.map((node) => {
    const callFrame = frames.get(toStackFrame(node.callFrame));
    return callFrame === undefined ? node : { ...node, callFrame };
  });
  return { ...profile, nodes };
}

/** As V8 writes it in a stack; a name that could end the frame is none. */
function toStackFrame({ functionName, url, lineNumber, columnNumber }: CallFrame): string {
  const name = /^[\w$.# ]+$/.test(functionName) ? functionName : 'anonymous';
  return `    at ${name} (${url}:${lineNumber + 1}:${columnNumber + 1})`;
}

function toCallFrame(callFrame: CallFrame, text: string): CallFrame {
  const [, , url, line, column] = FRAME.exec(text) ?? [];
  if (url === undefined) return callFrame;
  return { ...callFrame, url, lineNumber: Number(line) - 1, columnNumber: Number(column) - 1 };
}
