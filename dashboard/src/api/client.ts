/** The control API with the token of this tab. It is kept for the tab's life and sent to this origin only. */
const API = '/client/v4';
const TOKEN_KEY = 'isola.token';

/** What the API refused, in its own words. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: number;

  constructor(message: string, { status, code }: { status: number; code: number }) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
  }
}

export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Sent as JSON, unless it is a form. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export interface Page<T> {
  readonly result: T;
  /** '' or undefined when there are no more. */
  readonly cursor: string | undefined;
}

let onRefused: () => void = () => {};

/** Called when the token is good no more. */
export function watchRefusals(listener: () => void): void {
  onRefused = listener;
}

export function readToken(): string | null {
  return sessionStorage.getItem(TOKEN_KEY);
}

export function keepToken(token: string | null): void {
  if (token === null) sessionStorage.removeItem(TOKEN_KEY);
  else sessionStorage.setItem(TOKEN_KEY, token);
}

/** Throws `ApiError` for a refusal, and what `fetch` throws when there is no answer. */
export async function call<T>(path: string, options: CallOptions = {}): Promise<T> {
  return (await callPage<T>(path, options)).result;
}

/** The same, of a list that is given by pieces. */
export async function callPage<T>(path: string, options: CallOptions = {}): Promise<Page<T>> {
  const response = await send(path, options);
  const envelope = (await readJson(response)) as {
    success?: boolean;
    result: T;
    errors?: { code: number; message: string }[];
    result_info?: { cursor?: string };
  } | null;
  if (response.ok && envelope?.success === true) {
    return { result: envelope.result, cursor: envelope.result_info?.cursor };
  }
  throw toError(response, envelope?.errors?.[0]);
}

/** Of the few routes whose answers have no envelope. */
export async function callRaw(path: string, options: CallOptions = {}): Promise<Response> {
  const response = await send(path, options);
  if (response.ok) return response;
  const envelope = (await readJson(response)) as { errors?: { code: number; message: string }[] } | null;
  throw toError(response, envelope?.errors?.[0]);
}

/** A path whose parts may hold anything. */
export function toPath(strings: TemplateStringsArray, ...values: readonly string[]): string {
  return String.raw({ raw: strings }, ...values.map(encodeURIComponent));
}

async function send(path: string, { method = 'GET', body, signal }: CallOptions): Promise<Response> {
  const isForm = body instanceof FormData;
  const response = await fetch(API + path, {
    method,
    headers: {
      authorization: `Bearer ${readToken() ?? ''}`,
      ...(body !== undefined && !isForm && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
    ...(signal !== undefined && { signal }),
    cache: 'no-store',
    credentials: 'omit',
  });
  if (response.status === 401) onRefused();
  return response;
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return null; // a proxy's page
  }
}

function toError(response: Response, error: { code: number; message: string } | undefined): ApiError {
  const { status } = response;
  if (error === undefined) return new ApiError(`The server answered ${status}`, { status, code: 0 });
  return new ApiError(error.message, { status, code: error.code });
}
