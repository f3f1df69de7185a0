/** What is shown, in words. */
export function toMessage(error: unknown): string {
  if (error instanceof TypeError) return 'The server does not answer.';
  return error instanceof Error ? error.message : String(error);
}

/** The first characters of a version's id, which wrangler and previews show. */
export function toShortId(id: string): string {
  return id.slice(0, 8);
}
