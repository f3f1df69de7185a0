/**
 * A `.cpuprofile`: the `Profile` of the Chrome DevTools Protocol, as Chrome, VS Code and speedscope open it
 * (https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile).
 */
import { z } from 'zod';

export const MAX_PROFILE_BYTES = 16 * 1024 * 1024; // of JSON: parsing it holds its thread up for 0.2 s
const MAX_NAME_CHARS = 500; // of a function: a minifier's are shorter, and a tenant may make one of a megabyte
const MAX_URL_CHARS = 1_000;
const GAP = 3; // intervals without a sample: nothing ran meanwhile

const int = z.int();
const name = (max: number) => z.string().transform((text) => text.slice(0, max));

const CallFrameSchema = z.object({
  functionName: name(MAX_NAME_CHARS),
  scriptId: z.string().max(100),
  url: name(MAX_URL_CHARS),
  /** From 0; -1 where there is none. */
  lineNumber: int,
  columnNumber: int,
});

const NodeSchema = z.object({
  id: int,
  callFrame: CallFrameSchema,
  /** Samples in this function itself. */
  hitCount: int.min(0),
  children: z.array(int).optional(),
});

export const CpuProfileSchema = z.object({
  /** The first is the root. */
  nodes: z.array(NodeSchema).min(1),
  /** In µs, of one clock. */
  startTime: z.number(),
  endTime: z.number(),
  /** Ids of nodes. */
  samples: z.array(int),
  /** From the sample before to each, in µs. */
  timeDeltas: z.array(int),
});

export type CpuProfile = z.output<typeof CpuProfileSchema>;
export type CallFrame = z.output<typeof CallFrameSchema>;

/** Throws unless it is one, whose samples all belong to its nodes. */
export function parseCpuProfile(json: Buffer): CpuProfile {
  if (json.byteLength > MAX_PROFILE_BYTES) {
    throw new RangeError(`Cannot read a CPU profile of ${json.byteLength} bytes: at most ${MAX_PROFILE_BYTES}`);
  }
  const profile = CpuProfileSchema.parse(JSON.parse(json.toString('utf8')));
  const { nodes, samples, timeDeltas } = profile;
  const ids = new Set(nodes.map(({ id }) => id));
  const areKnown =
    samples.every((id) => ids.has(id)) && nodes.every(({ children }) => (children ?? []).every((id) => ids.has(id)));
  if (ids.size !== nodes.length || !areKnown || samples.length !== timeDeltas.length) {
    throw new TypeError('Cannot read a CPU profile: its nodes and samples do not fit together');
  }
  return profile;
}

/**
 * V8 takes no samples while nothing runs in the isolate, and viewers give a sample all the time until the next one. So a
 * sample `(idle)` goes where a gap begins.
 */
export function fillIdle(profile: CpuProfile, intervalUs: number): CpuProfile {
  const isIdle = ({ callFrame }: CpuProfile['nodes'][number]) => callFrame.functionName === '(idle)';
  const found = profile.nodes.find(isIdle);
  const idleId = found?.id ?? profile.nodes.reduce((most, { id }) => Math.max(most, id), 0) + 1;
  const samples: number[] = [];
  const timeDeltas: number[] = [];
  for (const [index, sample] of profile.samples.entries()) {
    const delta = profile.timeDeltas[index] ?? 0;
    const before = profile.samples[index - 1];
    if (before !== undefined && before !== idleId && delta > intervalUs * GAP) {
      samples.push(idleId, sample);
      timeDeltas.push(intervalUs, delta - intervalUs);
    } else {
      samples.push(sample);
      timeDeltas.push(delta);
    }
  }
  if (samples.length === profile.samples.length) return profile;
  const added = samples.length - profile.samples.length;
  const [root, ...others] = profile.nodes;
  const nodes: CpuProfile['nodes'] =
    found === undefined
      ? [{ ...root!, children: [...(root!.children ?? []), idleId] }, ...others, createIdle(idleId, added)]
      : profile.nodes.map((node) => (node === found ? { ...node, hitCount: node.hitCount + added } : node));
  return { ...profile, nodes, samples, timeDeltas };
}

function createIdle(id: number, hitCount: number): CpuProfile['nodes'][number] {
  const callFrame = { functionName: '(idle)', scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 };
  return { id, callFrame, hitCount };
}
