/**
 * Why a fetch failed, in words that a tenant may read: no paths, no stacks, no addresses but the one it asked for.
 * The cause keeps what happened, for the operator's log.
 */
export class EgressError extends Error {
  override readonly name = 'EgressError';
}

const LOST = 'Network connection lost';

/** Says by error code what went wrong on the way to `target` (an origin). Unknown codes are a lost connection. */
const MESSAGES: Readonly<Record<string, (target: string) => string>> = {
  UND_ERR_CONNECT_TIMEOUT: (target) => `Connection timed out: ${target} did not accept the connection in time`,
  ETIMEDOUT: (target) => `Connection timed out: ${target} did not accept the connection in time`,
  UND_ERR_HEADERS_TIMEOUT: (target) => `Response timed out: ${target} sent no response headers in time`,
  UND_ERR_BODY_TIMEOUT: (target) => `Response timed out: ${target} stopped sending the body`,
  UND_ERR_HEADERS_OVERFLOW: (target) => `Response refused: headers from ${target} are too large`,
  UND_ERR_INVALID_ARG: () => 'Request refused: invalid header or method',
  ECONNREFUSED: (target) => `Connection refused by ${target}`,
  ENOTFOUND: (target) => `Name not resolved: ${target}`,
  EBADNAME: (target) => `Name not resolved: ${target}`,
  ENODATA: (target) => `Name not resolved: ${target}`,
  ESERVFAIL: (target) => `Name not resolved: ${target}`,
  ETIMEOUT: (target) => `Name not resolved: ${target}`,
  EAI_AGAIN: (target) => `Name not resolved: ${target}`,
  EAI_FAIL: (target) => `Name not resolved: ${target}`,
};

/** Turns whatever undici, DNS, TLS or zlib threw into an `EgressError`; one that is already is passed on as it is. */
export function toEgressError(error: unknown, target: string): EgressError {
  if (error instanceof EgressError) return error;
  const code = codeOf(error);
  if (
    code.startsWith('CERT_') ||
    code.startsWith('ERR_TLS_') ||
    code.includes('SELF_SIGNED') ||
    code.includes('VERIFY')
  ) {
    return new EgressError(`TLS certificate of ${target} is not valid`, { cause: error });
  }
  if (
    code.startsWith('Z_') ||
    code.startsWith('ERR_BROTLI') ||
    code.startsWith('ZSTD_') ||
    code.startsWith('ERR__ERROR_')
  ) {
    return new EgressError(`Response body from ${target} could not be decompressed`, { cause: error });
  }
  return new EgressError(MESSAGES[code]?.(target) ?? LOST, { cause: error });
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return String(error.code);
}
