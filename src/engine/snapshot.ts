/**
 * Isolates begin from a V8 snapshot of the guest runtime: 4 ms instead of 26 ms each. It is made when the process
 * starts (about 40 ms) and never stored: a snapshot of another V8 build aborts the process that loads it, and a damaged
 * one is not detected.
 */
import ivm from 'isolated-vm';

export interface GuestSource {
  /** The guest runtime, one classic script (see src/guest/build/). */
  readonly source: string;
  /** Run once while the snapshot is made, so that the usual paths are compiled in it. */
  readonly warmup: string;
  /** Source text of each part that is loaded on first use, by its name. */
  readonly parts: Readonly<Record<string, string>>;
  /** Binaries that parts need, by name: base64 of their gzip form. */
  readonly assets: Readonly<Record<string, string>>;
}

/** Parts that an isolate has from the start; it loads the others when they are used. */
export type Variant = 'plain' | 'streams';
const PRELOADED: Readonly<Record<Variant, readonly string[]>> = { plain: [], streams: ['streams'] };

export type Snapshot = ivm.ExternalCopy<ArrayBuffer>;

/**
 * Makes the snapshot, and tries it. Returns undefined where that fails; isolates then evaluate the source, six times
 * slower. A crash inside V8 cannot be caught here: `ISOLA_NO_SNAPSHOT=1` is the way out on such a platform.
 */
export function createGuestSnapshot(guest: GuestSource, variant: Variant): Snapshot | undefined {
  if (process.env['ISOLA_NO_SNAPSHOT'] === '1') return undefined;
  try {
    const preloads = PRELOADED[variant].map((name) => ({
      code: `__isola.preload('${name}', ${guest.parts[name]}\n)`,
      filename: `isola:guest/${name}`,
    }));
    const scripts = [{ code: guest.source, filename: 'isola:guest' }, ...preloads];
    const snapshot = ivm.Isolate.createSnapshot(scripts, guest.warmup);
    const trial = new ivm.Isolate({ memoryLimit: 32, snapshot });
    const found = trial.createContextSync().evalSync('typeof __isola') === 'object';
    trial.dispose();
    return found ? snapshot : undefined;
  } catch {
    return undefined;
  }
}
