/** Reads the part of a wrangler.jsonc that isola's own deploys need. Whoever needs more uses wrangler itself. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { CommandError } from './command-error.ts';

const configSchema = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 of a-z, 0-9 and -'),
  main: z.string(),
  compatibility_date: z.string().default('2026-11-01'),
  compatibility_flags: z.array(z.string()).default([]),
  vars: z.record(z.string(), z.unknown()).default({}),
  services: z
    .array(z.object({ binding: z.string(), service: z.string(), entrypoint: z.string().optional() }))
    .default([]),
  triggers: z.object({ crons: z.array(z.string()).default([]) }).default({ crons: [] }),
  limits: z.object({ cpu_ms: z.number().int().positive().optional() }).default({}),
});

export interface WorkerConfig {
  readonly name: string;
  /** Absolute path of the entry file. */
  readonly mainPath: string;
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  /** As the upload's metadata has them: `{ name, type, … }`. */
  readonly bindings: readonly UploadBinding[];
  readonly crons: readonly string[];
  readonly cpuMs: number | undefined;
}

export type UploadBinding =
  | { readonly name: string; readonly type: 'plain_text'; readonly text: string }
  | { readonly name: string; readonly type: 'json'; readonly json: unknown }
  | { readonly name: string; readonly type: 'service'; readonly service: string; readonly entrypoint?: string };

/** Throws CommandError that names the file and the field. */
export async function readWorkerConfig(path: string): Promise<WorkerConfig> {
  const text = await readFile(path, 'utf8');
  let json: unknown;
  try {
    json = JSON.parse(stripJsonComments(text));
  } catch (error) {
    throw new CommandError(`Cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new CommandError(`Cannot read ${path}: ${issue?.path.join('.')}: ${issue?.message}`);
  }
  const config = parsed.data;
  return {
    name: config.name,
    mainPath: join(dirname(path), config.main),
    compatibilityDate: config.compatibility_date,
    compatibilityFlags: config.compatibility_flags,
    bindings: [...toVarBindings(config.vars), ...config.services.map(toServiceBinding)],
    crons: config.triggers.crons,
    cpuMs: config.limits.cpu_ms,
  };
}

/** JSON with comments and trailing commas to JSON. Texts keep their line numbers, so that errors point to the source. */
export function stripJsonComments(text: string): string {
  const comment = String.raw`\/\/[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\/`;
  const tokens = new RegExp(String.raw`"(?:[^"\\]|\\.)*"|${comment}|,(?=(?:\s|${comment})*[}\]])`, 'g');
  return text.replace(tokens, (token) => (token.startsWith('"') ? token : token.replace(/[^\n]/g, ' ')));
}

function toVarBindings(vars: Readonly<Record<string, unknown>>): UploadBinding[] {
  return Object.entries(vars).map(([name, value]) =>
    typeof value === 'string' ? { name, type: 'plain_text', text: value } : { name, type: 'json', json: value },
  );
}

function toServiceBinding(service: {
  binding: string;
  service: string;
  entrypoint?: string | undefined;
}): UploadBinding {
  const { binding: name, service: target, entrypoint } = service;
  return entrypoint === undefined
    ? { name, type: 'service', service: target }
    : { name, type: 'service', service: target, entrypoint };
}
