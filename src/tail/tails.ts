import { createHash } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { z } from 'zod';
import { PlatformError } from '../errors.ts';
import type { AccountId, WorkerName } from '../ids.ts';
import {
  MAX_TAILS,
  MAX_TAILS_PER_ACCOUNT,
  MAX_TAILS_PER_WORKER,
  TAIL_SESSION_MS,
  TAIL_UNCONNECTED_MS,
} from '../limits.ts';
import type { AccountData } from '../store/index.ts';
import { type TailFilters, toTest } from './filters.ts';
import { Backlog, TailClient } from './tail-client.ts';
import { toTailEvent } from './tail-event.ts';
import { parseRecord, type CheckedRecord } from '../checked-record.ts';

const ENDED = 1000; // wrangler ends
const GOING_AWAY = 1001; // wrangler comes back

export interface TailedWorker {
  readonly account: AccountId;
  readonly worker: WorkerName;
}

export interface TailsDeps {
  readonly now: () => number;
  /** As Math.random: for sampling. */
  readonly random: () => number;
  readonly randomUUID: () => string;
  /** Something that nobody can guess. */
  readonly randomToken: () => string;
  /** Resolves when records of these Workers, and of no others, come in full. Must not reject. */
  readonly onTailed: (workers: readonly TailedWorker[]) => Promise<void>;
}

export interface TailRequest extends TailedWorker {
  readonly filters: z.output<typeof TailFilters>;
  /** The address of who asks. */
  readonly self: string;
}

export interface TailSession extends TailedWorker {
  readonly id: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Somebody is there to see what happens. */
  readonly connected: boolean;
}

interface Session extends Omit<TailSession, 'connected'> {
  /** Of the token that its URL has. */
  readonly key: string;
  readonly test: (record: CheckedRecord) => boolean;
  client: TailClient | undefined;
  /** Since when nobody is connected to it. */
  idleSince: number;
}

/**
 * Who tails which Worker. A session is made through the control API; whoever has the token that its making gave may
 * connect to it, one at a time. It ends when it is deleted or expires, when nobody is connected for a while, and with
 * its Worker. Nothing of it is kept on disk.
 */
export class Tails implements AccountData {
  readonly #deps: TailsDeps;
  readonly #byKey = new Map<string, Session>();
  readonly #byWorker = new Map<string, Set<Session>>();
  readonly #backlog = new Backlog();
  #told: Promise<void> = Promise.resolve();

  constructor(deps: TailsDeps) {
    this.#deps = deps;
  }

  /** Invocations that begin once this has resolved are shown to who connects. */
  async create({ account, worker, filters, self }: TailRequest): Promise<TailSession & { readonly token: string }> {
    const { now, random, randomUUID, randomToken } = this.#deps;
    this.sweep();
    this.#checkRoom({ account, worker });
    const token = randomToken();
    const session: Session = {
      id: randomUUID(),
      account,
      worker,
      createdAt: now(),
      expiresAt: now() + TAIL_SESSION_MS,
      key: toKey(token),
      test: toTest(filters, { self, random }),
      client: undefined,
      idleSince: now(),
    };
    const name = nameOf(session);
    const others = this.#byWorker.get(name);
    this.#byKey.set(session.key, session);
    if (others === undefined) {
      this.#byWorker.set(name, new Set([session]));
      this.#tellTailed();
    } else {
      others.add(session);
    }
    await this.#told;
    return { ...toShown(session), token };
  }

  list({ account, worker }: TailedWorker): TailSession[] {
    this.sweep();
    return [...(this.#byWorker.get(nameOf({ account, worker })) ?? [])].map(toShown);
  }

  /** Throws `tailNotFound`, also for one of another Worker. */
  delete(worker: TailedWorker, id: string): void {
    const found = [...(this.#byWorker.get(nameOf(worker)) ?? [])].find((session) => session.id === id);
    if (found === undefined) throw new PlatformError('tailNotFound', `There is no tail '${id}' of this Worker`);
    this.#end(found, ENDED, 'deleted');
  }

  /** The Worker is gone. */
  endOf(worker: TailedWorker): void {
    for (const session of this.#byWorker.get(nameOf(worker)) ?? []) this.#end(session, ENDED, 'the Worker is gone');
  }

  suspendAccount(account: AccountId): void {
    for (const session of this.#byKey.values()) {
      if (session.account === account) this.#end(session, ENDED, 'the account is suspended');
    }
  }

  /** Whether the token opens a session, which `connect` takes it to. */
  isOpen(token: string): boolean {
    this.sweep();
    return this.#byKey.has(toKey(token));
  }

  connect(token: string, ws: WebSocket): void {
    const session = this.#byKey.get(toKey(token));
    if (session === undefined) {
      ws.close(ENDED, 'there is no such tail');
      return;
    }
    // Of somebody whose line broke, the earlier connection may seem to stand.
    session.client?.terminate();
    const client = new TailClient(ws, {
      scriptName: session.worker,
      backlog: this.#backlog,
      now: this.#deps.now,
      onClose: () => {
        if (session.client !== client) return;
        session.client = undefined;
        session.idleSince = this.#deps.now();
      },
    });
    session.client = client;
  }

  /** A record of a tailed Worker, as a cell sent it. */
  publish(sent: unknown): void {
    const record = parseRecord(sent);
    const sessions = this.#byWorker.get(`${record?.worker}.${record?.account}`);
    if (record === undefined || sessions === undefined) return;
    let event: string | undefined;
    for (const { client, test } of sessions) {
      if (client === undefined || !test(record)) continue;
      event ??= toTailEvent(record);
      client.send(event, record.tail.dropped);
    }
  }

  /** Ends what has expired, and what nobody has been connected to for a while. To be called now and then. */
  sweep(): void {
    const now = this.#deps.now();
    for (const session of this.#byKey.values()) {
      const isIdle = session.client === undefined && now - session.idleSince >= TAIL_UNCONNECTED_MS;
      if (isIdle || now >= session.expiresAt) this.#end(session, ENDED, 'expired');
    }
  }

  get workers(): TailedWorker[] {
    return [...this.#byWorker.values()]
      .flatMap((sessions) => [...sessions].slice(0, 1))
      .map(({ account, worker }) => ({ account, worker }));
  }

  /** All clients are told to come back. */
  close(): void {
    for (const session of this.#byKey.values()) session.client?.close(GOING_AWAY, 'the platform stops');
  }

  #checkRoom({ account, worker }: TailedWorker): void {
    const ofAccount = [...this.#byKey.values()].filter((session) => session.account === account);
    const ofWorker = ofAccount.filter((session) => session.worker === worker).length;
    const refuse = (count: number, limit: number, whose: string): void => {
      if (count < limit) return;
      throw new PlatformError(
        'tooManyTails',
        `Cannot tail "${worker}": ${count} tails of ${whose} are open, limit is ${limit}`,
      );
    };
    refuse(ofWorker, MAX_TAILS_PER_WORKER, 'this Worker');
    refuse(ofAccount.length, MAX_TAILS_PER_ACCOUNT, 'this account');
    refuse(this.#byKey.size, MAX_TAILS, 'the platform');
  }

  #end(session: Session, code: number, reason: string): void {
    session.client?.close(code, reason);
    this.#byKey.delete(session.key);
    const name = nameOf(session);
    const sessions = this.#byWorker.get(name);
    sessions?.delete(session);
    if (sessions?.size !== 0) return;
    this.#byWorker.delete(name);
    this.#tellTailed();
  }

  #tellTailed(): void {
    this.#told = this.#deps.onTailed(this.workers);
  }
}

/** The token itself is not kept: a look-up by its hash takes the same time whatever part of a guess is right. */
function toKey(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}

function nameOf({ account, worker }: TailedWorker): string {
  return `${worker}.${account}`;
}

function toShown({ id, account, worker, createdAt, expiresAt, client }: Session): TailSession {
  return { id, account, worker, createdAt, expiresAt, connected: client !== undefined };
}
