/**
 * Every error a caller can meet, by its permanent code. `docs/errors.md` says what each means and what to do;
 * a test compares the two. Numbers are those that stock `wrangler` reacts to where it knows one.
 */
export const ERROR_CODES = {
  accountToken: { code: 1000, status: 401 },
  invalidToken: { code: 9109, status: 401 },
  authentication: { code: 10000, status: 401 },
  badRequest: { code: 10001, status: 400 },
  notFound: { code: 10002, status: 404 },
  internal: { code: 10013, status: 500 },
  workerNotFound: { code: 10007, status: 404 },
  invalidUpload: { code: 10021, status: 400 },
  uploadTooLarge: { code: 10027, status: 413 },
  bindingNotFound: { code: 10057, status: 400 },
  serviceNotFound: { code: 10090, status: 404 },
  versionNotFound: { code: 10100, status: 404 },
  newestNotDeployed: { code: 10215, status: 400 },
  secretsChanged: { code: 10220, status: 400 },
  noVersions: { code: 10222, status: 404 },
  accountSuspended: { code: 10310, status: 403 },
  accountExists: { code: 10311, status: 409 },
  accountNotSuspended: { code: 10312, status: 409 },
  notAvailable: { code: 10300, status: 400 }, // not 501: wrangler sends an upload again on any 5xx
  overloaded: { code: 10301, status: 503 },
  kvKeyNotFound: { code: 10009, status: 404 },
  kvNamespaceExists: { code: 10014, status: 400 },
  kvNamespaceNotFound: { code: 10320, status: 404 },
  kvLimit: { code: 10321, status: 413 },
  kvNamespaceInUse: { code: 10322, status: 409 },
  kvFull: { code: 10323, status: 413 },
  assetUploadInvalid: { code: 10330, status: 400 },
  assetTokenInvalid: { code: 10331, status: 400 },
  assetLimit: { code: 10332, status: 413 },
  secretsKey: { code: 10350, status: 503 },
  secretNotFound: { code: 10351, status: 404 },
  nameTaken: { code: 10352, status: 409 },
  forbidden: { code: 10370, status: 403 },
  rateLimited: { code: 10371, status: 429 },
  badHostname: { code: 10340, status: 400 },
  hostnameUnproven: { code: 10341, status: 403 },
  hostnameTaken: { code: 10342, status: 409 },
  badAlias: { code: 10343, status: 400 },
  invalidCron: { code: 10360, status: 400 },
  noScheduledHandler: { code: 10361, status: 400 },
  tooManySchedules: { code: 10362, status: 400 },
  tailNotFound: { code: 10363, status: 404 },
  tooManyTails: { code: 10364, status: 429 },
  profileBusy: { code: 10365, status: 429 },
  profileLost: { code: 10366, status: 503 },
} as const;

export type ErrorName = keyof typeof ERROR_CODES;

/**
 * The caller's fault, or at least the caller's business: carries a permanent code, an HTTP status and a message that
 * is safe to show. A message names the attempt, then the value, then the allowed range.
 */
export class PlatformError extends Error {
  override readonly name = 'PlatformError';
  readonly code: number;
  readonly status: number;
  readonly kind: ErrorName;

  constructor(kind: ErrorName, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
    this.code = ERROR_CODES[kind].code;
    this.status = ERROR_CODES[kind].status;
  }
}
