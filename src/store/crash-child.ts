/**
 * The process that crash.test.ts kills: uploads, deploys and deletes at random in the folder it is given, until it dies.
 * Each operation is one line before it starts and one once it is acknowledged.
 */
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import type { ModuleRef } from '../model.ts';
import { openFileBlobs } from './files/index.ts';
import { openSqliteRegistry } from './sqlite/index.ts';

export interface CrashLine {
  readonly phase: 'start' | 'done';
  readonly operation: 'upload' | 'deploy' | 'delete';
  readonly worker: WorkerName;
  /** Of an upload or a deploy. */
  readonly version?: VersionId;
}

export const CRASH_ACCOUNT = 'main' as AccountId;
const WORKERS = ['a', 'b', 'c', 'd', 'e'] as WorkerName[];

if (import.meta.main) await work(process.argv[2]!);

async function work(dir: string): Promise<void> {
  const registry = openSqliteRegistry(join(dir, 'registry.db'));
  const blobs = openFileBlobs(join(dir, 'blobs'));
  await registry.putAccount({ id: CRASH_ACCOUNT, name: 'Main', createdOn: now() });
  for (;;) {
    const worker = WORKERS[randomInt(WORKERS.length)]!;
    const versions =
      (await registry.worker(CRASH_ACCOUNT, worker)) === undefined
        ? []
        : await registry.listVersions(CRASH_ACCOUNT, worker, { limit: 5 });
    const dice = randomInt(20);
    if (dice === 0 && versions.length > 0) {
      await announce({ operation: 'delete', worker }, () => registry.deleteWorker(CRASH_ACCOUNT, worker));
    } else if (dice < 6 && versions.length > 0) {
      const version = versions[randomInt(versions.length)]!.spec.id;
      await announce({ operation: 'deploy', worker, version }, () =>
        registry.deploy(CRASH_ACCOUNT, worker, {
          id: randomUUID(),
          shares: [{ version, percentage: 100 }],
          annotations: {},
          source: 'api',
          createdOn: now(),
        }),
      );
    } else {
      const version = randomUUID() as VersionId;
      await announce({ operation: 'upload', worker, version }, () => upload(worker, version));
    }
  }

  async function upload(worker: WorkerName, id: VersionId): Promise<void> {
    const contents = Array.from({ length: randomInt(1, 4) }, () => randomBytes(randomInt(1, 20_000)));
    const hashes = await blobs.putMany(contents);
    const modules = contents.map((content, i): ModuleRef => ({
      name: `${i}.bin`,
      kind: 'data',
      sha256: hashes[i]!,
      bytes: content.byteLength,
    }));
    await registry.createVersion(
      {
        spec: {
          id,
          account: CRASH_ACCOUNT,
          worker,
          tag: '',
          createdOn: now(),
          mainModule: '0.bin',
          bindings: [],
          compatibilityDate: '2026-01-01',
          compatibilityFlags: [],
        },
        limits: {},
        modules,
        sourceMaps: [],
        annotations: {},
        startupMs: 0,
        handlers: [],
        etag: '',
        source: 'api',
      },
      {
        createWorker: { tag: randomUUID(), subdomainEnabled: true },
        deploy: { id: randomUUID(), annotations: {}, source: 'api', createdOn: now() },
      },
    );
  }
}

async function announce(line: Omit<CrashLine, 'phase'>, operation: () => Promise<unknown>): Promise<void> {
  writeLine({ phase: 'start', ...line });
  await operation();
  writeLine({ phase: 'done', ...line });
}

/** At once: a line in a buffer would die with the process, and the test would know less than happened. */
function writeLine(line: CrashLine): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

function now(): string {
  return new Date().toISOString();
}
