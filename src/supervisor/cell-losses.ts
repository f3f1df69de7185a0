/**
 * What follows when a cell has ended: whose entry it was is kept apart, and requests that the cell had not begun are tried
 * elsewhere, in this order, so that they find the new cordon.
 */
import type { WorkerKey } from '../control/index.ts';
import type { CellLost } from '../gateway/index.ts';
import type { VersionId } from '../ids.ts';
import type { CellExit } from './cell-process.ts';
import type { CellPlace } from './cells.ts';
import { isForProfile } from './cordons.ts';
import type { Quarantine } from './quarantine.ts';
import type { Offence } from './quarantine-notice.ts';

export interface CellLossesDeps {
  readonly quarantine: Quarantine;
  /** Whose version it is, if this cell had its code. One that was taken over may name any. */
  readonly ownerOf: (cell: string, version: VersionId) => WorkerKey | undefined;
  /** To the gateway. */
  readonly tellGateway: (lost: CellLost) => void;
  readonly tell: (offence: Offence) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

export class CellLosses {
  readonly #deps: CellLossesDeps;

  constructor(deps: CellLossesDeps) {
    this.#deps = deps;
  }

  /** Never rejects. */
  async take({ id, cordon }: CellPlace, { reason, suspect, isOwnFault }: CellExit): Promise<void> {
    const { quarantine, ownerOf, tellGateway, tell, onError } = this.#deps;
    try {
      const version = suspect?.version;
      // Where one is profiled the limits are not kept as elsewhere: what costs that cell need not cost another.
      const isHeldAgainst = isOwnFault && !isForProfile(cordon);
      const worker = isHeldAgainst && version !== undefined ? ownerOf(id, version) : undefined;
      // The gateway hears of the change before it hears of the cell.
      const untilMs = worker && quarantine.strike(worker);
      tellGateway({ id, begun: suspect?.begun });
      if (worker !== undefined && version !== undefined && untilMs !== undefined) {
        const did = `did what nothing could stop, and the process that it ran in was ended (${reason})`;
        await tell({ worker, version, cell: id, reason, did, untilMs });
      }
    } catch (error) {
      tellGateway({ id });
      onError(error);
    }
  }
}
