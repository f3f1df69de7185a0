/** Certificates for the gateway: read, checked before they are used, and read again when the files have changed. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { TlsPair } from '../gateway/index.ts';

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** Throws an Error that says which file is wrong, and how. */
export function readCertificates(files: readonly CertificateFiles[]): TlsPair[] {
  return files.map((pair) => {
    const cert = read(pair.cert, '--tls-cert');
    const key = read(pair.key, '--tls-key');
    const certificate = parse(pair.cert, 'a PEM certificate', () => new X509Certificate(cert));
    const privateKey = parse(pair.key, 'a PEM private key without a passphrase', () => createPrivateKey(key));
    if (!certificate.checkPrivateKey(privateKey)) {
      throw new Error(`Cannot use --tls-key ${pair.key}: it does not belong to the first certificate of ${pair.cert}`);
    }
    return { cert, key, names: namesOf(certificate) };
  });
}

/** Looks at the files once in a while: certbot and others replace them. Calls back with what is in them once it fits. */
export class CertificateWatch implements Disposable {
  readonly #files: readonly CertificateFiles[];
  readonly #timer: NodeJS.Timeout;
  #seen: string;

  constructor(
    files: readonly CertificateFiles[],
    {
      checkMs,
      ...handlers
    }: { checkMs: number; onChange: (pairs: TlsPair[]) => void; onFailure: (error: Error) => void },
  ) {
    this.#files = files;
    this.#seen = this.#stamp();
    this.#timer = setInterval(() => {
      const stamp = this.#stamp();
      if (stamp === this.#seen) return;
      this.#seen = stamp;
      try {
        handlers.onChange(readCertificates(files));
      } catch (error) {
        // Perhaps only one of the two has been replaced so far: the other one's change is the next to be seen.
        handlers.onFailure(error as Error);
      }
    }, checkMs);
    this.#timer.unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #stamp(): string {
    const stamps = this.#files.flatMap(({ cert, key }) =>
      [cert, key].map((path) => {
        const stat = statSync(path, { throwIfNoEntry: false });
        return stat === undefined ? 'none' : `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
      }),
    );
    return stamps.join();
  }
}

function read(path: string, option: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Error(`Cannot read ${option} ${path}: ${(cause as Error).message}`, { cause });
  }
}

function parse<T>(path: string, what: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw new Error(`Cannot use ${path}: it is not ${what}`, { cause });
  }
}

/** The DNS names of its subjectAltName, or its common name where it has none. */
function namesOf({ subjectAltName = '', subject }: X509Certificate): string[] {
  const names = [...subjectAltName.matchAll(/DNS:([^,\s"]+)/g)].map(([, name = '']) => name.toLowerCase());
  const common = /^CN=(.+)$/m.exec(subject)?.[1];
  return names.length === 0 && common !== undefined ? [common.toLowerCase()] : names;
}
