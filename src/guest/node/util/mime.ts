/** `util.MIMEType` and `util.MIMEParams`. */
import { nodeError } from '../errors.ts';

const TOKEN = /^[!#$%&'*+\-.^_`|~A-Za-z0-9]+$/;
const QUOTED = /^[\t\u0020-~\u0080-\u00ff]*$/;

function invalid(text: string): TypeError {
  return nodeError(TypeError, 'ERR_INVALID_MIME_SYNTAX', `The MIME syntax for a ${text} is invalid`);
}

export class MIMEParams {
  readonly #values = new Map<string, string>();

  delete(name: string): void {
    this.#values.delete(name);
  }

  get(name: string): string | null {
    return this.#values.get(name) ?? null;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  set(name: string, value: string): void {
    const [key, text] = [name, value];
    if (!TOKEN.test(key)) throw invalid(`parameter name in "${key}"`);
    if (!QUOTED.test(text)) throw invalid(`parameter value in "${text}"`);
    this.#values.set(key, text);
  }

  entries(): IterableIterator<[string, string]> {
    return this.#values.entries();
  }

  keys(): IterableIterator<string> {
    return this.#values.keys();
  }

  values(): IterableIterator<string> {
    return this.#values.values();
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  toString(): string {
    return Array.from(this.#values, ([key, value]) =>
      TOKEN.test(value) ? `${key}=${value}` : `${key}="${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`,
    ).join(';');
  }

  toJSON(): string {
    return this.toString();
  }
}

export class MIMEType {
  readonly params = new MIMEParams();
  #type = '';
  #subtype = '';

  constructor(input: string) {
    const text = input.trim();
    const slash = text.indexOf('/');
    const end = text.indexOf(';') < 0 ? text.length : text.indexOf(';');
    if (slash < 0 || slash > end) throw invalid(`type in "${text}" at ${slash}`);
    this.type = text.slice(0, slash);
    this.subtype = text.slice(slash + 1, end).trimEnd();
    const pattern = /;\s*([^;=]*)(?:=(?:"((?:[^"\\]|\\.)*)"?[^;]*|([^;]*)))?/g;
    for (const [, name = '', quoted, plain] of text.slice(end).matchAll(pattern)) {
      const key = name.trim().toLowerCase();
      const value = quoted === undefined ? plain?.trimEnd() : quoted.replaceAll(/\\(.)/g, '$1');
      if (
        TOKEN.test(key) &&
        value !== undefined &&
        (value !== '' || quoted !== undefined) &&
        QUOTED.test(value) &&
        !this.params.has(key)
      ) {
        this.params.set(key, value);
      }
    }
  }

  get type(): string {
    return this.#type;
  }

  set type(value: string) {
    if (!TOKEN.test(value)) throw invalid(`type in "${value}"`);
    this.#type = value.toLowerCase();
  }

  get subtype(): string {
    return this.#subtype;
  }

  set subtype(value: string) {
    if (!TOKEN.test(value)) throw invalid(`subtype in "${value}"`);
    this.#subtype = value.toLowerCase();
  }

  get essence(): string {
    return `${this.#type}/${this.#subtype}`;
  }

  toString(): string {
    const params = this.params.toString();
    return params === '' ? this.essence : `${this.essence};${params}`;
  }

  toJSON(): string {
    return this.toString();
  }
}
