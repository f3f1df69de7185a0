/** An answer that is the caller's fault. */
export class HttpError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

export function toErrorResponse({ status, message, headers }: HttpError): Response {
  return Response.json({ error: message }, { status, headers });
}
