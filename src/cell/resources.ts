/**
 * What Workers reach through the supervisor beside the network: each question is an exchange of its own kind. The guest
 * gives an index in its bindings; which resource that is comes from the version's spec, and whose it is is the
 * supervisor's to check.
 */
import { type Exchange, type ExchangeEvents, RESET_CODES } from '../channel/index.ts';
import type { AccountId, WorkerName } from '../ids.ts';

const KINDS = ['assets', 'cache', 'kv'] as const;
export type ResourceKind = (typeof KINDS)[number];

export interface Resource {
  readonly kind: ResourceKind;
  /** A KV namespace's id; of assets the version's; '' of the cache. */
  readonly id: string;
}

/** A question as the supervisor has it: by a cell, which may have been taken over. */
export interface ResourceQuestion {
  readonly kind: ResourceKind;
  readonly id: string;
  readonly account: AccountId;
  readonly worker: WorkerName;
  readonly ray: string;
  /** The guest's own. */
  readonly head: string;
}

export interface ResourceRequest extends ResourceQuestion {
  readonly body: Buffer;
  readonly fin: boolean;
  /** To be called when the exchange is over, however. */
  readonly onEnd: () => void;
}

/** Answers the exchanges of one kind. */
export type ServeResource = (exchange: Exchange, request: ResourceRequest) => ExchangeEvents;
export type Resources = Readonly<Partial<Record<ResourceKind, ServeResource>>>;

/** Exchanges with another beginning are fetches: an account's name is never empty. */
export function toResourceHead({ kind, account, worker, ray, id, head }: ResourceQuestion): string {
  return `\n${kind}\n${account}\n${worker}\n${ray}\n${id}\n${head}`;
}

/** Undefined for the head of a fetch. Throws when the head is neither. */
export function parseResourceHead(text: string): ResourceQuestion | undefined {
  if (!text.startsWith('\n')) return undefined;
  const fields: string[] = [];
  let start = 1;
  while (fields.length < 5) {
    const end = text.indexOf('\n', start);
    if (end < 0) break;
    fields.push(text.slice(start, end));
    start = end + 1;
  }
  const [name, account, worker, ray, id] = fields;
  const kind = KINDS.find((known) => known === name);
  if (kind === undefined || id === undefined) throw new Error('Cannot answer: the head is malformed');
  return {
    kind,
    account: account as AccountId,
    worker: worker as WorkerName,
    ray: ray ?? '',
    id,
    head: text.slice(start),
  };
}

export function serveResource(resources: Resources, exchange: Exchange, request: ResourceRequest): ExchangeEvents {
  const serve = resources[request.kind];
  if (serve !== undefined) return serve(exchange, request);
  exchange.reset(RESET_CODES.refused, `There is nothing here that answers for ${request.kind}.`);
  request.onEnd();
  return { onData() {}, onEnd() {}, onReset() {} };
}
