import { SECRET_NAME } from '../secret-name.ts';

export const REDACTED = 'REDACTED';

/** Headers by name, without the values that could be used. Several of one name are joined as HTTP does. */
export function redactHeaders(headers: readonly (readonly [name: string, value: string])[]): Record<string, string> {
  const shown: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    const before = shown[lower];
    if (SECRET_NAME.test(lower)) shown[lower] = REDACTED;
    else shown[lower] = before === undefined ? value : `${before}, ${value}`;
  }
  return shown;
}
