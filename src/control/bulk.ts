/**
 * Bulk import: many single-module Workers at once, one JSON object a line. For benchmarks, tests and migrations.
 *
 * Operator only: the code is not started in a cell first, so a Worker that does not compile is found out by its first
 * request. Each batch is one transaction: an error names its line, and the batches before it stay.
 */
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { PlatformError } from '../errors.ts';
import type { AccountId, VersionId } from '../ids.ts';
import type { Route } from '../model.ts';
import type { CreateVersionOptions, VersionDraft } from '../store/index.ts';
import { bodyStream } from './body.ts';
import { describeIssues, parseJson } from './json.ts';
import type { ControlContext, Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { AccountParams, parseWorkerName } from './names.ts';
import { etagOf, toRef } from './drafts.ts';

const BATCH_WORKERS = 1_000;
const BATCH_BYTES = 8 * 1024 * 1024; // of code, so that large Workers do not pile up in memory
const MAX_LINE_BYTES = 10 * 1024 * 1024;
const NEWLINE = 0x0a;

const Line = z.object({
  name: z.string(),
  code: z.string(),
  vars: z.record(z.string().min(1), z.unknown()).default({}),
});
type Line = z.output<typeof Line>;

export const registerBulk: Resource = (app, context) => {
  const options = {
    config: { scope: 'admin', body: 'stream' },
    schema: {
      summary: 'Deploys many Workers of one module each, one JSON object a line',
      tags: ['Workers'],
      consumes: ['application/x-ndjson'],
      params: AccountParams,
      response: { 200: Result(z.object({ deployed: z.int() })) },
    },
  } as const;
  app.put('/accounts/:account/isola/bulk', options, async (request) => {
    const { account } = request.params;
    const author = request.identity.actor;
    let deployed = 0;
    let batch: Line[] = [];
    let batchBytes = 0;
    const flush = async (): Promise<void> => {
      await deployBatch(batch, { account, author }, context);
      deployed += batch.length;
      batch = [];
      batchBytes = 0;
    };
    for await (const { line, number } of readLines(bodyStream(request))) {
      batch.push(parseLine(line, { number, deployed }));
      batchBytes += line.length;
      if (batch.length === BATCH_WORKERS || batchBytes >= BATCH_BYTES) await flush();
    }
    if (batch.length > 0) await flush();
    return ok({ deployed });
  });
};

async function deployBatch(
  lines: readonly Line[],
  { account, author }: { account: AccountId; author: string },
  { registry, blobs, platform, retention, now, randomUUID }: ControlContext,
): Promise<void> {
  using _hold = blobs.hold();
  const contents = lines.map(({ code }) => Buffer.from(code));
  const hashes = await blobs.putMany(contents);
  const createdOn = new Date(now()).toISOString();
  const items = lines.map((line, i) => {
    const module = toRef({ name: 'index.js', kind: 'esm', content: contents[i]! }, hashes[i]!);
    const draft: VersionDraft = {
      spec: {
        id: randomUUID() as VersionId,
        account,
        worker: parseWorkerName(line.name),
        tag: '',
        createdOn,
        mainModule: module.name,
        bindings: Object.entries(line.vars).map(([name, value]) =>
          typeof value === 'string' ? { type: 'plain_text', name, text: value } : { type: 'json', name, json: value },
        ),
        compatibilityDate: createdOn.slice(0, 10),
        compatibilityFlags: [],
      },
      limits: {},
      modules: [module],
      sourceMaps: [],
      annotations: {},
      startupMs: 0,
      handlers: [],
      etag: etagOf([module]),
      source: 'api',
      author,
    };
    const options: Required<CreateVersionOptions> = {
      createWorker: { tag: randomUUID().replaceAll('-', ''), subdomainEnabled: true },
      deploy: { id: randomUUID(), annotations: {}, source: 'api', author, createdOn },
    };
    return { draft, options };
  });
  const routes = (await registry.deployMany(items)).map(({ route }) => route);
  await publishAll(routes, platform);
  retention.trimSoon(account);
}

async function publishAll(routes: readonly Route[], platform: ControlContext['platform']): Promise<void> {
  if (platform.publishMany !== undefined) return platform.publishMany(routes);
  for (const route of routes) await platform.publish(route);
}

function parseLine(bytes: Buffer, { number, deployed }: { number: number; deployed: number }): Line {
  const fail = (reason: string): PlatformError =>
    new PlatformError('badRequest', `Bulk import, line ${number}: ${reason}; ${deployed} Workers are deployed`);
  let json: unknown;
  try {
    json = parseJson(bytes.toString('utf8'));
  } catch (error) {
    throw fail((error as Error).message);
  }
  const parsed = Line.safeParse(json);
  if (!parsed.success) throw fail(describeIssues(parsed.error));
  try {
    parseWorkerName(parsed.data.name);
  } catch (error) {
    throw fail((error as Error).message);
  }
  return parsed.data;
}

/** The lines that are not empty, without their ends, counted from 1. */
async function* readLines(body: Readable | undefined): AsyncGenerator<{ line: Buffer; number: number }> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let number = 0;
  const take = (last: Buffer): { line: Buffer; number: number } => {
    const line = pending.length === 0 ? last : Buffer.concat([...pending, last]);
    pending = [];
    pendingBytes = 0;
    number += 1;
    return { line, number };
  };
  for await (const chunk of (body ?? []) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const taken = take(chunk.subarray(start, end));
      start = end + 1;
      if (!isBlank(taken.line)) yield taken;
    }
    pending.push(chunk.subarray(start));
    pendingBytes += chunk.length - start;
    if (pendingBytes > MAX_LINE_BYTES) {
      throw new PlatformError('badRequest', `Bulk import, line ${number + 1}: longer than ${MAX_LINE_BYTES} bytes`);
    }
  }
  const last = take(Buffer.alloc(0));
  if (!isBlank(last.line)) yield last;
}

function isBlank(line: Buffer): boolean {
  return line.length === 0 || (line.length === 1 && line[0] === 0x0d);
}
