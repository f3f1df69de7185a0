/** Code of versions that were loaded not long ago, so that a lost instance is back without asking the host. */
import type { VersionId } from '../ids.ts';
import type { VersionCode, VersionSpec } from '../model.ts';
import type { CellHost } from './host.ts';

const MAX_BYTES = 32 * 1024 * 1024;
const SPEC_BYTES = 1024; // what an entry holds beside its modules, roughly

export class VersionCodes {
  readonly #host: CellHost;
  readonly #codes = new Map<VersionId, { code: VersionCode; bytes: number }>();
  #bytes = 0;

  constructor(host: CellHost) {
    this.#host = host;
  }

  specOf(version: VersionId): VersionSpec | undefined {
    return this.#codes.get(version)?.code.spec;
  }

  async get(version: VersionId): Promise<VersionCode> {
    const kept = this.#codes.get(version);
    if (kept !== undefined) return kept.code;
    const code = await this.#host.loadVersion(version);
    this.#keep(version, code);
    return code;
  }

  forget(concerns: (spec: VersionSpec) => boolean): void {
    for (const [version, { code, bytes }] of this.#codes) {
      if (!concerns(code.spec)) continue;
      this.#codes.delete(version);
      this.#bytes -= bytes;
    }
  }

  #keep(version: VersionId, code: VersionCode): void {
    const bytes = code.modules.reduce((sum, module) => sum + module.content.byteLength, SPEC_BYTES);
    if (bytes > MAX_BYTES / 4 || this.#codes.has(version)) return;
    this.#codes.set(version, { code, bytes });
    this.#bytes += bytes;
    for (const [oldest, entry] of this.#codes) {
      if (this.#bytes <= MAX_BYTES) return;
      this.#codes.delete(oldest);
      this.#bytes -= entry.bytes;
    }
  }
}
