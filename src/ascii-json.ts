// JSON.stringify has escaped the controls below U+0020; these are DEL, the C1 controls and everything beyond ASCII.
const BEYOND_ASCII = /[\u007f-\uffff]/g;

/** JSON in pure printable ASCII: whoever writes it to a log or a terminal cannot be made to write anything else. */
export function toAsciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    BEYOND_ASCII,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
