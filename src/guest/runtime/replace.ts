/** Replaces a built-in constructor by a function of ours, without a trace in `instanceof` or `constructor`. */

/**
 * Gives `replacement` the prototype, the static members, the name and the length of `original`, points the prototype's
 * `constructor` at it, and (unless `holder` is null) puts it in place under `name`.
 */
export function replaceConstructor(
  name: string,
  original: { prototype: object },
  replacement: object,
  holder: object | null = globalThis,
): void {
  for (const key of Reflect.ownKeys(original)) {
    if (key === 'arguments' || key === 'caller') continue;
    const descriptor = Object.getOwnPropertyDescriptor(original, key)!;
    Object.defineProperty(replacement, key, descriptor);
  }
  Object.setPrototypeOf(replacement, Object.getPrototypeOf(original) as object | null);
  Object.defineProperty(original.prototype, 'constructor', { value: replacement });
  if (holder !== null) {
    Object.defineProperty(holder, name, { value: replacement, writable: true, enumerable: false, configurable: true });
  }
}
