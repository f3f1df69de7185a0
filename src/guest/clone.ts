/** `structuredClone`, whose code (structured-clone.ts) is loaded when it is first called, and what can be transferred. */
import type * as part from './parts/structured-clone.ts';
import { arrayPush } from './primordials.ts';
import { loadPart } from './runtime/parts.ts';
import { requireArguments } from './webidl.ts';

type Cloner = typeof part;

let loaded: Cloner | undefined;

/** Called by the part when it has been loaded. */
export function setCloner(cloner: Cloner): void {
  loaded = cloner;
}

let other: (value: object) => object | undefined = () => undefined;

/** Takes what clones the platform objects of a part: it answers undefined for what is none of them. */
export function setOtherCloner(clone: (value: object) => object | undefined): void {
  other = clone;
}

export function cloneOther(value: object): object | undefined {
  return other(value);
}

export interface StructuredCloneOptions {
  transfer?: Iterable<object>;
}

/** What can be transferred beside buffers, told by the parts of the runtime that have it. */
export interface Transferable {
  readonly isOne: (value: object) => boolean;
  /** Says why it cannot be transferred; undefined when it can. */
  readonly obstacle: (value: object) => string | undefined;
  /** A new object in place of the old one, which is of no use any more. */
  readonly transfer: (value: object) => object;
}

export const transferables: Transferable[] = [];

export function addTransferable(kind: Transferable): void {
  arrayPush(transferables, kind);
}

/** Copies a value; throws a DataCloneError DOMException for what cannot be copied. What is transferred is detached. */
export function structuredClone(value: unknown, options?: StructuredCloneOptions | null): unknown {
  requireArguments(arguments.length, 1, "Failed to execute 'structuredClone'");
  return cloner().structuredClone(value, options);
}

/** The copy, and what has been made of the transferred values, in their order. `source` must not be among them. */
export function cloneWithTransfer(
  value: unknown,
  transfer: readonly object[],
  source?: object,
): { readonly copy: unknown; readonly transferred: readonly object[] } {
  return cloner().cloneWithTransfer(value, transfer, source);
}

/** A `transfer` as a list: it is iterated once. */
export function toTransferList(transfer: Iterable<object>): object[] {
  const list: object[] = [];
  for (const item of transfer) arrayPush(list, item);
  return list;
}

function cloner(): Cloner {
  return loaded ?? (loadPart('structured-clone') as unknown as Cloner);
}
