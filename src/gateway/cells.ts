import type { Channel } from '../channel/index.ts';
import { FRAME_LIMITS } from '../channel/index.ts';
import { fnv1a, mix } from './hash.ts';
import { type CellsParams, DEFAULT_CORDON, type GatewayStats } from './protocol.ts';

const NONE: readonly Cell[] = [];
const SPREAD_THRESHOLD = 64; // more requests in flight than the least loaded: memory is spent twice to save time

/** A cell that can be given requests: a channel whose other end has said `ready`. */
export interface Cell {
  readonly id: string;
  readonly channel: Channel;
  readonly hash: number;
  /** Open WebSockets: exchanges that are mostly silent, and say nothing of how busy the cell is. */
  webSockets: number;
}

/**
 * Which cells are live, and which of them takes a Worker. A cell is live when the supervisor lists it and it has said
 * `ready` on a link that stands, whichever comes first.
 */
export class CellSet {
  readonly #linked = new Map<string, Cell>();
  /** The cordon of each cell that may be given requests. */
  #listed = new Map<string, string>();
  /** Of the default cordon. */
  #live: readonly Cell[] = [];
  /** Of other cordons; those that have none are absent. */
  #others = new Map<string, Cell[]>();

  liveIn(cordon: string): readonly Cell[] {
    return cordon === DEFAULT_CORDON ? this.#live : (this.#others.get(cordon) ?? NONE);
  }

  /** Whether the supervisor wants it to be given requests. */
  isListed(id: string): boolean {
    return this.#listed.has(id);
  }

  /** A cell said `ready`. A second link of the same cell takes the place of the first. */
  add(id: string, channel: Channel): void {
    this.#linked.set(id, { id, channel, hash: fnv1a(id), webSockets: 0 });
    this.#update();
  }

  /** A link has ended. */
  remove(id: string, channel: Channel): void {
    if (this.#linked.get(id)?.channel !== channel) return;
    this.#linked.delete(id);
    this.#update();
  }

  list(cells: CellsParams['cells']): void {
    this.#listed = new Map(cells.map(({ id, cordon }) => [id, cordon]));
    this.#update();
  }

  /**
   * Rendezvous hashing: a Worker stays with its cell while others come and go. A cell much busier than the least
   * loaded one gives the request away. Undefined when no cell of the cordon is live or all are full.
   */
  pick(hash: number, cordon: string): Cell | undefined {
    const live = this.liveIn(cordon);
    const only = live[0];
    if (only === undefined) return undefined;
    const chosen = live.length === 1 ? only : rank(hash, live, only);
    return chosen.channel.openExchanges < FRAME_LIMITS.openExchanges ? chosen : undefined;
  }

  stats(): GatewayStats['cells'] {
    return [...this.#linked.values()].map((cell) => ({
      id: cell.id,
      live: this.#listed.has(cell.id) && !cell.channel.closed,
      active: load(cell),
      webSockets: cell.webSockets,
      bytesIn: cell.channel.bytesRead,
      bytesOut: cell.channel.bytesWritten,
    }));
  }

  #update(): void {
    const live = Map.groupBy(this.#linked.values(), (cell) =>
      cell.channel.closed ? undefined : this.#listed.get(cell.id),
    );
    this.#live = live.get(DEFAULT_CORDON) ?? NONE;
    this.#others = live as Map<string, Cell[]>;
  }
}

function load(cell: Cell): number {
  return cell.channel.openExchanges - cell.webSockets;
}

function rank(hash: number, live: readonly Cell[], first: Cell): Cell {
  let best = first;
  let bestScore = -1;
  let idlest = first;
  for (const cell of live) {
    const score = mix(hash, cell.hash);
    if (score > bestScore) {
      best = cell;
      bestScore = score;
    }
    if (load(cell) < load(idlest)) idlest = cell;
  }
  return load(best) - load(idlest) > SPREAD_THRESHOLD ? idlest : best;
}
